"""A choice among hundreds of records, as one select: a county's villages."""

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.html import format_html, format_html_join
from django_filters import ModelChoiceFilter
from django_filters.fields import ModelChoiceField


class LongSelect(forms.Select):
    """A select that writes its lines itself: Django renders a template for each of them."""

    def render(self, name, value, attrs=None, renderer=None):
        chosen = {str(v) for v in self.format_value(value)}
        lines = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (key, " selected" if str(key) in chosen else "", label)
                for key, label in self.choices
            ),
        )
        attrs = forms.utils.flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", attrs, lines)


class _NamedChoices(ModelChoiceIterator):
    """Keys and names straight from the table; a record of which only these show is not made."""

    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from self.queryset.values_list("pk", "name")


class NamedField(ModelChoiceField):
    """A choice among records that have a `name`."""

    widget = LongSelect
    iterator = _NamedChoices


class NamedFilter(ModelChoiceFilter):
    """A filter by a record that is chosen by its name."""

    field_class = NamedField
