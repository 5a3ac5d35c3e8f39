"""Who entered the rolls and who left them in a year: pages and exports, equal to the return's figures.

Two lists, as of the rolls: one of health data, for the policies that tell of a child's death or illness.
"""

from functools import partial

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import QueryDict

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_id_number
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NameColumn, Table
from fpadmin.ui.templatetags.ui import mask_id
from households import selectors
from subsidies.models import Enrolment, ExitReason
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.reviews.roster import ENTERED, EXITED, KINDS, place_names, rolls
from subsidies.rolls.roll_list import FIRST_YEAR, codes_of, end_words, month_dash

KEY, SENSITIVE_KEY = "turnover", "turnover-sensitive"
URLS = {KEY: "subsidies:review-exits", SENSITIVE_KEY: "subsidies:review-exits-sensitive"}
SIDES = {side: KINDS[side] for side in (ENTERED, EXITED)}


def years(today) -> list[tuple[str, str]]:
    """The years to choose from; who begins next January is known before."""
    return [(str(year), f"{year}年") for year in range(today.year + 1, FIRST_YEAR - 1, -1)]


def wanted(asked: Asked, *, sensitive: bool) -> QueryDict:
    """The address with what it leaves out: this year's exits of the first policy that is switched on."""
    query = asked.GET.copy()
    if query.get("year") not in dict(years(asked.day)):
        query["year"] = str(asked.day.year)
    if query.get("side") not in SIDES:
        query["side"] = EXITED
    codes = codes_of(asked.user, sensitive=sensitive)
    if query.get("policy") not in codes and codes:
        on = policy_book(asked.day).on_codes_within(asked.user.scope_path)
        query["policy"] = next((code for code in codes if code in on), codes[0])
    return query


def turnover(asked: Asked, *, sensitive: bool) -> QuerySet:
    """The lines of one policy that began, or were paid for the last time, in the year."""
    want = wanted(asked, sensitive=sensitive)
    if not asked.user.region or want.get("policy") not in codes_of(asked.user, sensitive=sensitive):
        return Enrolment.objects.none()
    found = rolls(asked.user.region, want["side"], int(want["year"]))
    return (
        found.filter(policy_code=want["policy"])
        .select_related("resident__household", "resident__village")
        .annotate(place_name=place_names())
        .order_by("place_name", "resident__household__number", "resident", "pk")
    )


class TurnoverFilter(FilterSet):
    """Side, policy and year are always asked for."""

    sensitive = False

    side = django_filters.ChoiceFilter(
        label="名单", choices=list(SIDES.items()), method="as_it_is", empty_label=None
    )
    policy = django_filters.ChoiceFilter(
        label="政策", choices=[], method="as_it_is", empty_label=None
    )
    year = django_filters.ChoiceFilter(
        label="年度", choices=[], method="as_it_is", empty_label=None
    )
    village = NamedFilter(
        label="村（社区）",
        method="by_village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    reason = django_filters.ChoiceFilter(
        label="退出原因", field_name="end_reason", choices=ExitReason.choices, empty_label="全部"
    )

    def __init__(self, data, *, queryset, request):
        data = wanted(request, sensitive=self.sensitive)
        super().__init__(data, queryset=queryset, request=request)
        fields = self.form.fields
        fields["year"].choices = years(request.day)
        fields["policy"].choices = [
            (code, catalogue.name_of(code))
            for code in codes_of(request.user, sensitive=self.sensitive)
        ]
        if data["side"] == ENTERED:
            del fields["reason"]

    def as_it_is(self, queryset, name, value):
        """The list is made for it already."""
        return queryset

    def by_village(self, queryset, name, value):
        """Where the line counts."""
        return queryset.filter(place=value.pk)


class SensitiveTurnoverFilter(TurnoverFilter):
    """The same of sensitive policies."""

    sensitive = True


def line_url(record: Enrolment, table) -> str | None:
    """The line's page; none where the person has moved out of the user's region since."""
    inside = record.resident.village.path.startswith(table.request.user.scope_path)
    return record.get_absolute_url() if inside else None


class TurnoverTable(Table):
    """One line a row."""

    name = NameColumn(
        "姓名", accessor="resident__name", orderable=True, linkify=line_url,
        order_by=("resident__name_initials", "resident__name"),
    )  # fmt: skip
    id_number = tables.Column(
        "公民身份号码", accessor="resident__id_number", attrs=NOWRAP_WIDE, empty_values=()
    )
    village = tables.Column("村（社区）", accessor="place_name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="resident__household__number")
    policy = tables.Column("政策", accessor="policy_code")
    grade = tables.Column()
    start_month = tables.Column("起始", attrs=NOWRAP, orderable=True)
    end_month = tables.Column("最后发放", attrs=NOWRAP, orderable=True)
    end_reason = tables.Column()

    class Meta:
        model = Enrolment
        fields = (
            "name", "id_number", "village", "household", "policy", "grade", "start_month", "end_month",
            "end_reason",
        )  # fmt: skip

    def called(self, record):
        return record.resident.name

    def render_id_number(self, value):
        return mask_id(value)

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_start_month(self, value):
        return month_dash(value)

    def render_end_month(self, record):
        return end_words(record.start_month, record.end_month)


def columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn(
            "name", "姓名", ("resident__name", "resident__village__path"), fixed=True, sensitive=kind
        ),
        ListColumn(
            "id_number", "公民身份号码", ("resident__id_number",), kind="code", mask=mask_id_number,
            width=22,
        ),
        ListColumn("village", "村（社区）", ("place_name",), width=16),
        ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
        ListColumn("policy", "政策", ("policy_code",), write=catalogue.name_of, width=30),
        ListColumn("grade", "等级或学段", ("grade",), shown=False),
        ListColumn("start_month", "起始年月", ("start_month",), write=month_dash),
        ListColumn(
            "end_month", "最后发放年月", ("start_month", "end_month"), width=14,
            write=lambda start, end: end_words(start, end) if end else "",
        ),
        ListColumn("end_reason", "退出原因", ("end_reason",), width=14),
    )  # fmt: skip


def load() -> None:
    """Register the two lists. Called once, by ready()."""
    for key, filter_class in ((KEY, TurnoverFilter), (SENSITIVE_KEY, SensitiveTurnoverFilter)):
        sensitive = key == SENSITIVE_KEY
        listing.register(
            ListSpec(
                key=key,
                title="新增和退出名单（特别扶助）" if sensitive else "新增和退出名单",
                unit="人",
                permission=Permission.BENEFIT_ANNUAL,
                url_name=URLS[key],
                queryset=partial(turnover, sensitive=sensitive),
                table_class=TurnoverTable,
                filter_class=filter_class,
                columns=columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.resident.name,
                place_of=lambda row: f"{row.place_name}　{row.resident.household}",
            )
        )
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
