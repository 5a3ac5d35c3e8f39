"""Base of every filter bar, and the conditions in force as chips."""

from dataclasses import dataclass

import django_filters
from django.http import QueryDict
from django_filters.widgets import SuffixedMultiWidget

from fpadmin.ui.paging import without_position


@dataclass(frozen=True)
class Chip:
    """One condition in force and the address of the same list without it."""

    label: str
    text: str
    url: str


class FilterSet(django_filters.FilterSet):
    """Filters of a list, from GET: so never a name or an ID number, which would stand in the URL.

    Choices are limited by `self.request.user` in the subclass. The first SHORT filters show, the
    rest open with 更多条件.
    """

    SHORT = 7

    def shown(self) -> list:
        """The bound fields that always show."""
        return list(self.form.visible_fields())[: self.SHORT]

    def hidden(self) -> list:
        """The bound fields behind 更多条件."""
        return list(self.form.visible_fields())[self.SHORT :]

    def is_open(self) -> bool:
        """Whether a condition behind 更多条件 is in force, or it was asked for."""
        return "more" in self.data or any(
            self.data.get(name) for field in self.hidden() for name in _input_names(field)
        )

    def more_url(self) -> str:
        """The same list with the bar unfolded, for browsers without scripts."""
        query = self.data.copy()
        query["more"] = "1"
        return f"?{query.urlencode()}"

    def carried(self) -> dict:
        """What of the session the conditions rest on: a job that has no session is given this."""
        return {}

    def rows(self):
        """The filtered QuerySet; none while a condition cannot be understood."""
        return self.qs if self.form.is_valid() else self.queryset.none()

    def chips(self, query: QueryDict) -> list[Chip]:
        """The conditions in force, each with the address that drops it."""
        if not self.form.is_valid():
            return []
        chips = []
        for field in self.form.visible_fields():
            text = words_of(field, self.form.cleaned_data.get(field.name))
            if text:
                rest = without_position(query)
                for name in _input_names(field):
                    rest.pop(name, None)
                chips.append(Chip(str(field.label), text, f"?{rest.urlencode()}"))
        return chips


def _input_names(field) -> list[str]:
    """The names under which a field's inputs arrive; a range has two."""
    widget = field.field.widget
    if isinstance(widget, SuffixedMultiWidget):
        return [widget.suffixed(field.html_name, suffix) for suffix in widget.suffixes]
    return [field.html_name]


def words_of(field, value) -> str:
    """The value as the clerk reads it, "" where nothing is asked."""
    if value is None or value in ("", []):
        return ""
    if isinstance(value, slice):
        if value.start is None:
            return f"{_plain(value.stop)}及以下"
        if value.stop is None:
            return f"{_plain(value.start)}及以上"
        return f"{_plain(value.start)}至{_plain(value.stop)}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str):
        return str(_labels(field).get(value, value))
    if isinstance(value, list | tuple | set):
        labels = _labels(field)
        return "、".join(str(labels.get(str(one), one)) for one in value)
    return str(value)


def _labels(field) -> dict[str, str]:
    """Written choices only: those of a ModelChoiceField would cost a query and arrive as objects."""
    return {str(key): label for key, label in getattr(field.field, "choices", [])}


def _plain(bound) -> str:
    return bound.strftime("%Y-%m-%d") if hasattr(bound, "strftime") else str(bound)
