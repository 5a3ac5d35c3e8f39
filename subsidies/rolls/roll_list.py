"""The lists of the rolls (在册对象): pages and exports.

Two of them: whoever stands on a roll of a sensitive policy tells of a child's death or illness by standing
there, so that list is one of health data, and seen by fewer.
"""

from datetime import date
from functools import partial

import django_filters
import django_tables2 as tables
from django.db.models import Q, QuerySet

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.identity import mask_account, mask_id_number
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.listing import BANK, HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, mask_id, money, status_tag
from households import searches, selectors
from households.filters import SearchFilter
from households.models import Resident
from subsidies.forms.enrolments import DayOfRollFilter
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.policies.seeing import codes_for
from subsidies.rolls import misfits, states
from subsidies.rolls.rates import rate_case
from subsidies.services import enrolments

KEY, SENSITIVE_KEY = "enrolments", "enrolments-sensitive"
URLS = {KEY: "subsidies:enrolment-list", SENSITIVE_KEY: "subsidies:enrolment-sensitive-list"}
TITLES = {KEY: "在册对象", SENSITIVE_KEY: "在册对象（特别扶助）"}
NO_ACCOUNT, EVERY = "account", "all"
FIRST_YEAR = 2004
CHECKS = [*misfits.WORDS.items(), (NO_ACCOUNT, "没有银行账号")]


def codes_of(user, *, sensitive: bool) -> list[str]:
    """The policies whose rolls one of the lists shows to the user."""
    return [code for code in codes_for(user) if catalogue.policy(code).sensitive == sensitive]


def rolls(asked: Asked, *, sensitive: bool) -> QuerySet:
    """Lines of the user's region with their `state` and `rate` on the day asked for."""
    lines = Enrolment.objects.visible_to(asked.user).for_list()
    hidden = catalogue.sensitive_codes()
    own = Q(policy_code__in=hidden) if sensitive else ~Q(policy_code__in=hidden)
    day = asked.as_of
    return states.with_state(lines.filter(own), day).annotate(rate=rate_case(policy_book(day), day))


class RollFilter(SearchFilter):
    """Conditions of the rolls. Without 状态 whoever is on the roll on the day; a year asks for that year."""

    sensitive = False

    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=[], empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[
            (states.SUSPENDED, "暂停发放"), (states.WAITING, "待审变动"), (states.ENDED, "已退出"),
            (states.COMING, "尚未开始"), (EVERY, "全部"),
        ],
        method="by_state", empty_label="在册",
    )  # fmt: skip
    year = django_filters.ChoiceFilter(
        label="享受年度", choices=[], method="by_year", empty_label="不限"
    )
    check = django_filters.ChoiceFilter(
        label="需要核对", choices=CHECKS, method="by_check", empty_label="不限"
    )
    as_of = DayOfRollFilter(label="时点")

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.codes = codes_of(request.user, sensitive=self.sensitive)
        self.form.fields["policy"].choices = [
            (code, catalogue.name_of(code)) for code in self.codes
        ]
        years = range(request.day.year + 1, FIRST_YEAR - 1, -1)
        self.form.fields["year"].choices = [(str(year), f"{year}年") for year in years]

    def filter_queryset(self, queryset):
        asked = self.form.cleaned_data
        queryset = super().filter_queryset(queryset)
        if asked.get("state") or asked.get("year") or asked.get("check"):
            return queryset
        return queryset.active_on(self.request.as_of)

    def found(self, queryset, search: searches.Search):
        people = Resident.objects.visible_to(self.request.user).filter(search.matches())
        return queryset.filter(resident__in=people.values("pk"))

    def by_state(self, queryset, name, value):
        return queryset if value == EVERY else queryset.filter(state=value)

    def by_year(self, queryset, name, value):
        first, last = date(int(value), 1, 1), date(int(value), 12, 1)
        lasting = Q(end_month__isnull=True) | Q(end_month__gte=first)
        return queryset.filter(lasting, start_month__lte=last).exclude(states.NEVER_PAID)

    def by_check(self, queryset, name, value):
        day, user = self.request.as_of, self.request.user
        if value == NO_ACCOUNT:
            return queryset.active_on(day).filter(resident__bank_account_digest="")
        book = policy_book(day)
        codes = misfits.codes_drawn(user, day, self.codes)
        return queryset.filter(misfits.lines(value, day, user.scope_path, book, codes))


class SensitiveRollFilter(RollFilter):
    """The same of sensitive policies."""

    sensitive = True


class RollTable(Table):
    """One line a row; the name leads to its page."""

    name = NameColumn(
        "姓名", accessor="resident__name", orderable=True,
        order_by=("resident__name_initials", "resident__name"),
        linkify=lambda record: record.get_absolute_url(),
    )  # fmt: skip
    id_number = tables.Column(
        "公民身份号码", accessor="resident__id_number", attrs=NOWRAP_WIDE, empty_values=()
    )
    village = tables.Column(
        "村（社区）", accessor="resident__village__name", attrs=NOWRAP, orderable=True,
        order_by=("resident__village__path", "resident__household__number"),
    )  # fmt: skip
    household = tables.Column(
        "户编号", accessor="resident__household__number",
        linkify=lambda record: record.resident.household.get_absolute_url(),
    )  # fmt: skip
    policy = tables.Column("政策", accessor="policy_code")
    grade = tables.Column()
    start_month = tables.Column("起始", attrs=NOWRAP, orderable=True)
    end_month = tables.Column("最后发放", attrs=NOWRAP, orderable=True)
    end_reason = tables.Column()
    state = tables.Column("状态", attrs=NOWRAP)
    rate = tables.Column("标准（元）", attrs=NUMERIC)
    cycle = tables.Column("发放周期", accessor="policy_code", attrs=NOWRAP)
    account = tables.Column(
        "账号", accessor="resident__bank_account", attrs=NOWRAP, empty_values=()
    )

    class Meta:
        model = Enrolment
        fields = (
            "name", "id_number", "village", "household", "policy", "grade", "start_month", "end_month",
            "end_reason", "state", "rate", "cycle", "account",
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

    def render_state(self, value):
        return status_tag(states.TAGS[value], states.WORDS[value])

    def render_rate(self, value):
        return money(value)

    def render_cycle(self, value):
        return cycle_words(value)

    def render_account(self, value):
        return f"尾号{value[-4:]}" if value else "没有账号"


def month_dash(month: date | None) -> str:
    """2018-09, for tables and files."""
    return f"{month:%Y-%m}" if month else ""


def end_words(start: date, end: date | None) -> str:
    """The last month paid, 未发放 where there was none, — while it lasts."""
    if end is None:
        return NOTHING
    return "未发放" if end < start else month_dash(end)


def cycle_words(code: str) -> str:
    """How often the policy pays: 按年."""
    return f"按{catalogue.CYCLES[catalogue.policy(code).cycle]}"


def columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("name", "姓名", ("resident__name",), fixed=True, sensitive=kind),
        ListColumn(
            "id_number", "公民身份号码", ("resident__id_number",), kind="code", mask=mask_id_number,
            width=22,
        ),
        ListColumn("village", "村（社区）", ("resident__village__name",), width=16),
        ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
        ListColumn("policy", "政策", ("policy_code",), write=catalogue.name_of, width=30),
        ListColumn("grade", "等级或学段", ("grade",), shown=False),
        ListColumn("start_month", "起始年月", ("start_month",), write=month_dash),
        ListColumn(
            "end_month", "最后发放年月", ("start_month", "end_month"), width=14,
            write=lambda start, end: end_words(start, end) if end else "",
        ),
        ListColumn("end_reason", "退出原因", ("end_reason",), shown=False),
        ListColumn("state", "状态", ("state",), write=states.WORDS.get, width=10),
        ListColumn("rate", "标准（元）", ("rate",), kind="number", width=12),
        ListColumn("cycle", "发放周期", ("policy_code",), write=cycle_words, shown=False),
        ListColumn(
            "account", "账号", ("resident__bank_account",), kind="code", mask=mask_account,
            sensitive=BANK, width=24,
        ),
    )  # fmt: skip


def load() -> None:
    """Register the lists and events. Called once, by ready()."""
    register_types(enrolments.EVENT_TYPES, enrolments.CHANGE_LABELS)
    for key, filter_class in ((KEY, RollFilter), (SENSITIVE_KEY, SensitiveRollFilter)):
        sensitive = key == SENSITIVE_KEY
        listing.register(
            ListSpec(
                key=key,
                title=TITLES[key],
                unit="人",
                permission=Permission.BENEFIT_VIEW,
                url_name=URLS[key],
                queryset=partial(rolls, sensitive=sensitive),
                table_class=RollTable,
                filter_class=filter_class,
                columns=columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.resident.name,
                place_of=lambda row: (
                    f"{row.resident.village.name}　{row.resident.household}"
                    f"　{catalogue.name_of(row.policy_code)}"
                ),
            )
        )
        searches.register_list(key, URLS[key], filter_class)
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
