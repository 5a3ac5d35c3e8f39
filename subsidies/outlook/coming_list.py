"""The people behind the figures of the look-ahead: page and export."""

from functools import partial

import django_filters
import django_tables2 as tables
from django.db.models import CharField, DateField, DecimalField, QuerySet, Value
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_id_number
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import mask_id, money
from households import selectors
from households.models import Resident
from households.presenters import place_of
from subsidies.eligibility.candidate_list import keys_in
from subsidies.outlook.ahead import ENTER, SIDES, Coming, ahead, months_of
from subsidies.outlook.asking import offered, townships_of, wanted
from subsidies.outlook.lookup import LookedUp
from subsidies.policies import catalogue

KEY = "benefit-outlook"
SENSITIVE_KEY = "benefit-outlook-sensitive"  # of policies that tell of a child's death or illness


def key_of(code: str) -> str:
    """Which of the two lists shows the policy's people."""
    return SENSITIVE_KEY if code and catalogue.policy(code).sensitive else KEY


def coming_people(asked: Asked, *, sensitive: bool) -> QuerySet:
    """Who enters, or leaves, in the month that is asked for, else in all twelve; by the day.

    `comes_on`, `reason`, `yuan`. None where the policy isn't the user's to know, or not of this list.
    """
    want = wanted(asked)
    found: list[Coming] = []
    if want and want.region and want.policy.sensitive == sensitive:
        found = of_side(
            ahead(asked.user, want.code, want.path, asked.day),
            asked.GET.get("side") or ENTER,
            asked.GET.get("month", ""),
        )
    by_key = {one.resident_id: one for one in found}
    yuan = {k: float(one.yuan) for k, one in by_key.items() if one.yuan is not None}
    return (
        Resident.objects.visible_to(asked.user)
        .for_list()
        .filter(pk__in=keys_in(by_key))
        .annotate(
            comes_on=LookedUp(
                {k: one.day.isoformat() for k, one in by_key.items()}, DateField("日期")
            ),
            reason=LookedUp({k: one.reason for k, one in by_key.items()}, CharField("原因")),
            yuan=LookedUp(yuan, DecimalField("金额", max_digits=12, decimal_places=2)),
            policy=Value(want.code if want else ""),
        )
        .order_by("comes_on", "village__path", "household__number", "pk")
    )


def of_side(found: list[Coming], side: str, month: str) -> list[Coming]:
    """Those of one side, and of one month where one is named (2018-10)."""
    return [one for one in found if one.side == side and month in ("", f"{one.month:%Y-%m}")]


class ComingFilter(FilterSet):
    """Policy and side are always asked for; without a month all twelve."""

    policy = django_filters.ChoiceFilter(
        label="政策", choices=[], method="as_it_is", empty_label=None
    )
    side = django_filters.ChoiceFilter(
        label="变化", choices=list(SIDES.items()), method="as_it_is", empty_label=None
    )
    month = django_filters.ChoiceFilter(
        label="月份", choices=[], method="as_it_is", empty_label="12个月"
    )
    town = NamedFilter(
        label="乡镇（街道）", method="as_it_is", empty_label="请选择",
        queryset=lambda request: townships_of(request.user, request.day),
    )  # fmt: skip
    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def __init__(self, data, *, queryset, request):
        data = data.copy()
        data.setdefault("side", ENTER)
        want = wanted(request)
        if want:
            data["policy"] = want.code
        super().__init__(data, queryset=queryset, request=request)
        fields = self.form.fields
        fields["policy"].choices = offered(request.user, request.day)
        fields["month"].choices = [
            (f"{one:%Y-%m}", f"{one.year}年{one.month}月") for one in months_of(request.day)
        ]
        if request.user.region.level >= request.user.region.Level.TOWNSHIP:
            del fields["town"]

    def as_it_is(self, queryset, name, value):
        """The list is made for it already."""
        return queryset


def person_url(record) -> str:
    """The case of a row on the day that it comes."""
    address = reverse("subsidies:eligibility-person", args=[record.pk])
    return f"{address}?policy={record.policy}&as_of={record.comes_on.isoformat()}"


class ComingTable(Table):
    """One unit a row: of a couple the wife, of a family the head; the name leads to the case."""

    name = NameColumn(linkify=person_url)
    id_number = tables.Column(attrs=NOWRAP_WIDE, empty_values=())
    place = tables.Column("村组", accessor="household", attrs=NOWRAP)
    household = tables.Column(
        "户编号",
        accessor="household__number",
        linkify=lambda record: record.household.get_absolute_url(),
    )
    comes_on = DayColumn("日期", orderable=True)
    reason = tables.Column("原因", attrs=NOWRAP)
    yuan = tables.Column("金额（元）", attrs=NUMERIC)

    class Meta:
        model = Resident
        fields = ("name", "id_number", "place", "household", "comes_on", "reason", "yuan")

    def render_id_number(self, value):
        return mask_id(value)

    def render_place(self, record):
        return place_of(record.village, record.household.group)

    def render_yuan(self, value):
        return money(value)


def _place(village: str, group: str | None, *_) -> str:
    return f"{village}　{group}" if group else village


def _columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("name", "姓名", ("name", "policy", "comes_on"), fixed=True, sensitive=kind),
        ListColumn(
            "id_number", "公民身份号码", ("id_number",), kind="code", mask=mask_id_number, width=22
        ),
        ListColumn(
            "place", "村组", ("village__name", "household__group__name"), write=_place, width=18
        ),
        ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
        ListColumn("comes_on", "日期", ("comes_on",), kind="date"),
        ListColumn("reason", "原因", ("reason",), width=24),
        ListColumn("yuan", "金额（元）", ("yuan",), kind="number"),
    )


def load() -> None:
    """Register the two lists. Called once, by ready()."""
    for key, sensitive in ((KEY, False), (SENSITIVE_KEY, True)):
        listing.register(
            ListSpec(
                key=key,
                title="未来变化名单",
                unit="条",
                permission=Permission.BENEFIT_VIEW,
                url_name="subsidies:outlook-list",
                queryset=partial(coming_people, sensitive=sensitive),
                table_class=ComingTable,
                filter_class=ComingFilter,
                columns=_columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.name,
                place_of=lambda row: f"{row.village.name}　{row.household}",
            )
        )
