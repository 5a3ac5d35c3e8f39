"""The two tables of the check of archives against the criteria."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse

from fpadmin import dates
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.tables import NOWRAP, WIDE, NameColumn, Table
from households import selectors
from households.models import Household, SpecialFamily
from households.special import candidates
from households.special.rules import rule_book


class _VillageFilter(FilterSet):
    """By village."""

    village = NamedFilter(
        label="村（社区）",
        field_name="village",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        empty_label="全部",
    )


class CandidateFilter(_VillageFilter):
    """Conditions of the households without an archive."""


class DoubtFilter(_VillageFilter):
    """Conditions of the archives in doubt."""

    village = NamedFilter(
        label="村（社区）",
        field_name="household__village",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        empty_label="全部",
    )


class _CasesTable(Table):
    """A table whose rows say criterion by criterion how it stands."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.day = dates.today()
        self.book = rule_book(self.day)


class CandidateTable(_CasesTable):
    """A household that should have an archive, a row."""

    parents = NameColumn("父母", accessor="pk", linkify=lambda record: record.get_absolute_url())
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    number = tables.Column("户编号")
    kind = tables.Column("符合的类型", accessor="pk", attrs=NOWRAP)
    reason = tables.Column("依据", accessor="pk", attrs=WIDE)
    act = tables.Column("办理", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = Household
        fields = ("parents", "village", "number", "kind", "reason", "act")

    def render_parents(self, record):
        return "、".join(spell.resident.name for spell in record.cases)

    def render_kind(self, record):
        return candidates.kinds_of_household(record)

    def render_reason(self, record):
        return _cases(candidates.cases_of_household(record, self.day, self.book))

    def render_act(self, record):
        archive = next((spell.archive for spell in record.cases if spell.archive), None)
        word, page, key = (
            ("建档", "create", record.pk) if archive is None else ("转户", "move", archive)
        )
        address = reverse(f"households:special-family-{page}", args=[key])
        return _acts([(word, address)], self.render_parents(record))


class DoubtTable(_CasesTable):
    """An archive in doubt, a row."""

    parents = NameColumn("父母", accessor="pk", linkify=lambda record: record.get_absolute_url())
    village = tables.Column("村（社区）", accessor="household__village__name", attrs=NOWRAP)
    number = tables.Column("户编号", accessor="household__number")
    kind = tables.Column("档案类型", accessor="get_kind_display", attrs=NOWRAP)
    reason = tables.Column("逐条核对", accessor="pk", attrs=WIDE)
    act = tables.Column("办理", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = SpecialFamily
        fields = ("parents", "village", "number", "kind", "reason", "act")

    def render_parents(self, record):
        names = "、".join(parent.resident.name for parent in record.current_parents)
        return names or "父母已不在档案中"

    def render_reason(self, record):
        return _cases(candidates.cases_of_archive(record, self.day, self.book))

    def render_act(self, record):
        acts = [
            (word, reverse(f"households:special-family-{page}", args=[record.pk]))
            for word, page in (("改类型", "edit"), ("结案", "close"))
        ]
        return _acts([("查看", record.get_absolute_url()), *acts], self.render_parents(record))


def _cases(cases) -> str:
    return render_to_string("households/special/_cases.html", {"cases": cases})


def _acts(acts: list[tuple[str, str]], name: str) -> str:
    return render_to_string("households/special/_acts.html", {"acts": acts, "name": name})
