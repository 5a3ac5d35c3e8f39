"""养老补助: everybody on the roll with facts, amount and progress; figures by payer and batch."""

from dataclasses import dataclass, replace
from decimal import Decimal

import django_filters
import django_tables2 as tables
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, WIDE, DayColumn
from fpadmin.ui.templatetags.ui import NOTHING, money, status_tag
from households import searches
from subsidies.forms.oneoff import PartForm
from subsidies.models import Enrolment, PensionCase
from subsidies.oneoff import pensions
from subsidies.oneoff.pensions import batch_refusals, payer_words
from subsidies.oneoff.people_list import (
    PERSON_COLUMNS,
    PeopleFilter,
    PeopleTable,
    place_of,
    years_from,
)
from subsidies.services.pensions import put_in_batch

KEY, URL = "pensions", "subsidies:pension-list"
NONE = "none"
LESS = ("id_number", "household")  # of the person: left to the chooser of columns
FEN = Decimal("0.01")
Payer = PensionCase.Payer


def rows(asked: Asked) -> QuerySet:
    """Everybody on the roll whom the user may see."""
    return pensions.pensions(Enrolment.objects.visible_to(asked.user).for_list())


class PensionFilter(PeopleFilter):
    """Conditions of the list."""

    progress = django_filters.ChoiceFilter(
        label="办理情况", choices=list(pensions.WORDS.items()), empty_label="全部"
    )
    payer = django_filters.ChoiceFilter(
        label="发放渠道", choices=[*Payer.choices, (NONE, "未登记")], method="by_payer",
        empty_label="全部",
    )  # fmt: skip
    part = django_filters.ChoiceFilter(
        label="批次", choices=[], method="by_part", empty_label="全部"
    )
    year = django_filters.ChoiceFilter(
        label="退休年度", field_name="retired_year", choices=[], empty_label="不限"
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        cases = PensionCase.objects.visible_to(request.user).exclude(part="")
        parts = cases.order_by("part").values_list("part", flat=True).distinct()
        self.form.fields["part"].choices = [*((one, one) for one in parts), (NONE, "未放入批次")]
        self.form.fields["year"].choices = years_from(request.day.year)

    def by_payer(self, queryset, name, value):
        return queryset.filter(case__isnull=True) if value == NONE else queryset.filter(payer=value)

    def by_part(self, queryset, name, value):
        if value == NONE:
            return queryset.filter(Q(part__isnull=True) | Q(part=""))
        return queryset.filter(part=value)


class PensionTable(PeopleTable):
    """One retiree a row."""

    retired = tables.Column("退休年月", attrs=NOWRAP, orderable=True)
    payer = tables.Column("发放渠道", attrs=NOWRAP, empty_values=())
    employer = tables.Column("原单位", attrs=WIDE)
    part = tables.Column("批次", attrs=NOWRAP)
    amount = tables.Column("金额（元）", attrs=NUMERIC, empty_values=())
    checked = tables.Column("身份核对", accessor="checked_on", attrs=NOWRAP_WIDE)
    progress = tables.Column("办理情况", attrs=NOWRAP)
    paid_on = DayColumn("发放日期")
    acts = tables.Column("操作", empty_values=(), attrs=NOWRAP)

    class Meta:
        model = Enrolment
        fields = (
            "name", "id_number", "village", "household", "retired", "payer", "employer", "part",
            "amount", "checked", "progress", "paid_on", "acts",
        )  # fmt: skip

    def render_retired(self, value):
        return f"{value:%Y-%m}"

    def render_payer(self, value):
        return pensions.payer_short(value)

    def render_amount(self, value):
        return amount_words(value)

    def render_checked(self, record):
        return f"{record.checked_on:%Y-%m-%d} {record.checker}"

    def render_progress(self, value):
        return status_tag(pensions.TAGS[value], pensions.WORDS[value])

    def render_acts(self, record):
        if not self.request.user.may(Permission.BENEFIT_EDIT):
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="登记：{}">登记</a>',
            reverse("subsidies:pension-edit", args=[record.pk]),
            record.resident.name,
        )


@dataclass(frozen=True)
class Part:
    """One batch: people by payer, and what is to be paid out of public money."""

    name: str
    people: dict[str, int]
    yuan: Decimal

    @property
    def count(self) -> int:
        return sum(self.people.values())

    @property
    def by_payer(self) -> list[int]:
        """In the order of the payers, those without facts last."""
        return [self.people.get(key, 0) for key in (*Payer.values, NONE)]


def parts_of(user) -> list[Part]:
    """Figures of every batch, in one query; what is in none stands last."""
    lines = pensions.pensions(Enrolment.objects.visible_to(user)).order_by()
    found: dict[str, tuple[dict[str, int], Decimal]] = {}
    for part, payer, people, yuan in lines.values_list("part", "payer").annotate(
        people=Count("pk"), yuan=Sum("amount")
    ):
        counts, total = found.get(part or "", ({}, Decimal(0)))
        counts[payer or NONE] = people
        if payer == Payer.FINANCE:
            total += Decimal(yuan or 0).quantize(FEN)
        found[part or ""] = counts, total
    ordered = sorted(found, key=lambda name: (name == "", name))
    return [Part(name or "未放入批次", *found[name]) for name in ordered]


def amount_words(amount: Decimal | None) -> str:
    """The amount, or what is missing for it."""
    return "缺平均工资" if amount is None else money(amount)


COLUMNS = (
    *(replace(one, shown=one.key not in LESS) for one in PERSON_COLUMNS),
    ListColumn(
        "retired", "退休年月", ("retired",), write=lambda day: f"{day:%Y-%m}" if day else ""
    ),
    ListColumn("payer", "发放渠道", ("payer",), write=payer_words, width=18),
    ListColumn("employer", "原单位", ("employer",), width=24),
    ListColumn("part", "批次", ("part",)),
    ListColumn("amount", "金额（元）", ("amount",), kind="number", width=14),
    ListColumn("checked", "身份核对日期", ("checked_on", "checker"), kind="date"),
    ListColumn("progress", "办理情况", ("progress",), write=pensions.WORDS.get, width=18),
    ListColumn("paid_on", "发放日期", ("paid_on",), kind="date", shown=False),
    ListColumn("acts", "操作", ("resident__name",), fixed=True, in_file=False),
)


def _refusals(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    return batch_refusals(rows, values["part"])


def _put(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    return put_in_batch(by=by, enrolments=rows, part=values["part"])


def load() -> None:
    """Register the list and its acts. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY, title="养老补助", unit="人", permission=Permission.BENEFIT_VIEW, url_name=URL,
            queryset=rows, table_class=PensionTable, filter_class=PensionFilter, columns=COLUMNS,
            name_of=lambda row: row.resident.name, place_of=place_of,
        )
    )  # fmt: skip
    searches.register_list(KEY, URL, PensionFilter)
    acts.register(
        Act(
            KEY, "part", "放入批次", Permission.BENEFIT_EDIT, form=PartForm, effect="放入批次，",
            check=_refusals, apply=_put, order=10,
        )
    )  # fmt: skip
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
