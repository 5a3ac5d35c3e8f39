"""The registers of care (就医与照护) as page, export and batch act know them."""

from collections.abc import Callable
from dataclasses import dataclass

import django_filters
import django_tables2 as tables
from django import forms
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.forms import FlexibleDateField
from fpadmin.ui.listing import HEALTH, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import money, status_tag
from households import selectors
from households.event_list import DayFilter
from households.forms.special_care import HOSPITALS
from households.models import (
    AidReceived,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    PriorityKind,
    PriorityService,
)
from households.services import special_care
from households.special.care_rows import (
    DONE,
    DUE,
    ENDED,
    HOUSEHOLD,
    NONE,
    OVER,
    PRIORITIES,
    SOON,
    STATE_TAGS,
    VALID,
    aids,
    cards,
    checks,
    contracts,
    insurances,
    priorities,
)

CARDS, CHECKS = "special-cards", "special-checks"
CONTRACTS, INSURANCES, AIDS = "special-contracts", "special-insurances", "special-aids"
CARD_WORDS = {VALID: "有效", SOON: "30天内到期", OVER: "已过期", ENDED: "已停用"}
CONTRACT_WORDS = {VALID: "签约中", SOON: "30天内到期", NONE: "未签约"}
INSURANCE_WORDS = {VALID: "在保", SOON: "30天内到期", OVER: "已到期"}
CHECK_WORDS = {DONE: "已体检", DUE: "未体检"}


@dataclass(frozen=True)
class Tab:
    """One register: its word on the tabs and its page."""

    key: str
    label: str
    url_name: str


TABS = (
    Tab(CARDS, "就医卡", "households:special-care"),
    Tab(PRIORITIES, "六优先", "households:special-care-priority-list"),
    Tab(CHECKS, "年度体检", "households:special-care-check-list"),
    Tab(CONTRACTS, "家庭医生签约", "households:special-care-contract-list"),
    Tab(INSURANCES, "住院护理保险", "households:special-care-insurance-list"),
    Tab(AIDS, "享受待遇", "households:special-care-aid-list"),
)


# Conditions -------------------------------------------------------------------------------------


class YearFilter(django_filters.NumberFilter):
    """A calendar year of the day in `field_name`."""

    def __init__(self, **kwargs):
        super().__init__(label="年份", min_value=1949, max_value=2100, decimal_places=0, **kwargs)

    def filter(self, qs, value):
        return qs if value is None else qs.filter(**{f"{self.field_name}__year": int(value)})


class CareFilter(FilterSet):
    """The village; every register adds its own."""

    village = NamedFilter(
        label="村（社区）",
        field_name=f"{HOUSEHOLD}__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )


def _state(label: str, words: dict[str, str]) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label=label, field_name="state", choices=list(words.items()), empty_label="全部"
    )


class CardFilter(CareFilter):
    """Conditions of the issue register; the year is that of the issue."""

    year = YearFilter(field_name="issued_on")
    state = _state("状态", CARD_WORDS)


class PriorityFilter(CareFilter):
    """Conditions of the register of priorities."""

    year = YearFilter(field_name="used_on")
    since = DayFilter(label="使用从", field_name="used_on", lookup_expr="gte")
    by = DayFilter(label="使用到", field_name="used_on", lookup_expr="lte")
    kind = django_filters.ChoiceFilter(
        label="优先项目", choices=PriorityKind.choices, empty_label="全部"
    )
    hospital = django_filters.CharFilter(
        label="医院", max_length=100, widget=forms.TextInput(attrs={"list": HOSPITALS})
    )


class CheckFilter(CareFilter):
    """Conditions of the yearly checks. Without a year the current one; see year_of()."""

    year = django_filters.NumberFilter(
        label="年份", min_value=1949, max_value=2100, decimal_places=0, method="of_year"
    )
    state = _state("体检", CHECK_WORDS)

    def of_year(self, queryset, name, value):
        return queryset if int(value) <= self.request.day.year else queryset.none()


class ContractFilter(CareFilter):
    """Conditions of the contracts, as they stand today. The year is that of the signature."""

    year = YearFilter(field_name="signed_on")
    state = _state("签约", CONTRACT_WORDS)


class InsuranceFilter(CareFilter):
    """Conditions of the insurances; the year is that of the beginning."""

    year = YearFilter(field_name="starts_on")
    state = _state("状态", INSURANCE_WORDS)


class AidFilter(CareFilter):
    """Conditions of benefits and aid received."""

    year = YearFilter(field_name="received_on")


# Tables -----------------------------------------------------------------------------------------


def _archive(section: str) -> Callable:
    def url(record) -> str:
        page = reverse("households:special-family-detail", args=[record.family_id])
        return f"{page}#{section}"

    return url


def _parents(section: str) -> NameColumn:
    return NameColumn("家庭", accessor="parent_names", linkify=_archive(section), empty_values=())


def _village() -> tables.Column:
    return tables.Column(
        "村（社区）", accessor=f"{HOUSEHOLD}__village__name", attrs=NOWRAP, orderable=True,
        order_by=(f"{HOUSEHOLD}__village__path", f"{HOUSEHOLD}__number"),
    )  # fmt: skip


def _household() -> tables.Column:
    return tables.Column("户编号", accessor=f"{HOUSEHOLD}__number")


class CareTable(Table):
    """Base of the registers: a family without parents is still called something."""

    def render_parents(self, value):
        return value or "父母已不在档案中"

    def called(self, record):
        return record.parent_names


class CardTable(CareTable):
    """One card a row."""

    parents, village, household = _parents("cards"), _village(), _household()
    number = tables.Column()
    holder = tables.Column("持卡人", accessor="resident__name", default="全家共用")
    issued_on = DayColumn(orderable=True)
    expires_on = DayColumn(orderable=True)
    state = tables.Column("状态", attrs=NOWRAP)
    ended_on = DayColumn()

    class Meta:
        model = MedicalCard
        fields = (
            "parents", "village", "household", "number", "holder", "issued_on", "expires_on", "state",
            "ended_on",
        )  # fmt: skip

    def render_state(self, value):
        return status_tag(STATE_TAGS[value], CARD_WORDS[value])


class PriorityTable(CareTable):
    """One use a row."""

    parents, village, household = _parents("priority"), _village(), _household()
    used_on = DayColumn(orderable=True)
    kind = tables.Column(attrs=NOWRAP)
    hospital = tables.Column(attrs=WIDE)
    patient = tables.Column("就医人", accessor="resident__name")
    note = tables.Column()
    recorded_by = tables.Column("登记人", accessor="recorded_by__name")

    class Meta:
        model = PriorityService
        fields = (
            "parents", "village", "household", "used_on", "kind", "hospital", "patient", "note",
            "recorded_by",
        )  # fmt: skip

    def render_kind(self, record):
        return PriorityKind(record.kind).label


class ParentTable(CareTable):
    """Base of the registers with one parent a row."""

    village, household = _village(), _household()

    def called(self, record):
        return record.resident.name


class CheckTable(ParentTable):
    """One parent a row, with the last check of the year."""

    resident = NameColumn("体检人", accessor="resident__name", linkify=_archive("checks"))
    state = tables.Column("体检", attrs=NOWRAP)
    checked_on = DayColumn("体检日期", orderable=True)
    hospital = tables.Column("体检机构", attrs=WIDE)
    result = tables.Column("体检结果", accessor="result", empty_values=(None, ""))

    class Meta:
        model = FamilyParent
        fields = (
            "resident", "village", "household", "state", "checked_on", "hospital", "result",
        )  # fmt: skip

    def render_state(self, value):
        return status_tag("ok" if value == DONE else "wait", CHECK_WORDS[value])

    def render_result(self, value):
        return covered(value)


class ContractTable(ParentTable):
    """One parent a row, with the contract in force."""

    resident = NameColumn("签约人", accessor="resident__name", linkify=_archive("contracts"))
    state = tables.Column("签约", attrs=NOWRAP)
    institution = tables.Column("签约机构", attrs=WIDE)
    doctor = tables.Column("家庭医生")
    signed_on = DayColumn("签约日期", orderable=True)
    until = DayColumn("到期日期", orderable=True)

    class Meta:
        model = FamilyParent
        fields = (
            "resident", "village", "household", "state", "institution", "doctor", "signed_on",
            "until",
        )  # fmt: skip

    def render_state(self, value):
        return status_tag(STATE_TAGS[value], CONTRACT_WORDS[value])


class InsuranceTable(CareTable):
    """One insurance a row."""

    parents, village, household = _parents("insurance"), _village(), _household()
    insurer = tables.Column(attrs=WIDE)
    policy_number = tables.Column()
    starts_on = DayColumn(orderable=True)
    ends_on = DayColumn(orderable=True)
    state = tables.Column("状态", attrs=NOWRAP)

    class Meta:
        model = NursingInsurance
        fields = (
            "parents", "village", "household", "insurer", "policy_number", "starts_on", "ends_on",
            "state",
        )  # fmt: skip

    def render_state(self, value):
        return status_tag("off" if value == OVER else STATE_TAGS[value], INSURANCE_WORDS[value])


class AidTable(CareTable):
    """One benefit or aid a row."""

    parents, village, household = _parents("aids"), _village(), _household()
    received_on = DayColumn(orderable=True)
    name = tables.Column(attrs=WIDE)
    amount = NumberColumn()
    receiver = tables.Column("受助人", accessor="resident__name", default="全家")
    note = tables.Column()

    class Meta:
        model = AidReceived
        fields = (
            "parents", "village", "household", "received_on", "name", "amount", "receiver", "note",
        )  # fmt: skip

    def render_amount(self, value):
        return money(value)


def covered(result: str) -> str:
    """What a list or a masked file says of a check's result: that there is one."""
    return "已登记" if result else ""


# Columns of the files ---------------------------------------------------------------------------

# Who stands in these registers has lost a child or has a disabled one: every file tells health.
FAMILY_COLUMN = ListColumn(
    "parents", "家庭", ("parent_names", "family_id"), fixed=True, width=18, sensitive=HEALTH,
    write=lambda names, *_: names,
)  # fmt: skip
PLACE_COLUMNS = (
    ListColumn("village", "村（社区）", (f"{HOUSEHOLD}__village__name",), width=16),
    ListColumn("household", "户编号", (f"{HOUSEHOLD}__number",), kind="code", width=10),
)


def _person(label: str) -> ListColumn:
    return ListColumn(
        "resident", label, ("resident__name", "family_id"), fixed=True, sensitive=HEALTH,
        write=lambda name, *_: name,
    )  # fmt: skip


def _words(words: dict[str, str]) -> Callable[[str], str]:
    return lambda state: words.get(state, "")


CARD_COLUMNS = (
    FAMILY_COLUMN,
    *PLACE_COLUMNS,
    ListColumn("number", "就医卡号", ("number",), kind="code", width=18),
    ListColumn("holder", "持卡人", ("resident__name",), write=lambda name: name or "全家共用"),
    ListColumn("issued_on", "发卡日期", ("issued_on",), kind="date"),
    ListColumn("expires_on", "有效期至", ("expires_on",), kind="date"),
    ListColumn("state", "状态", ("state",), write=_words(CARD_WORDS)),
    ListColumn("ended_on", "停用日期", ("ended_on",), kind="date", shown=False),
)
PRIORITY_COLUMNS = (
    FAMILY_COLUMN,
    *PLACE_COLUMNS,
    ListColumn("used_on", "使用日期", ("used_on",), kind="date"),
    ListColumn("kind", "优先项目", ("kind",), write=lambda kind: PriorityKind(kind).label),
    ListColumn("hospital", "医院", ("hospital",), width=24),
    ListColumn("patient", "就医人", ("resident__name",)),
    ListColumn("note", "情况", ("note",), shown=False, width=30, sensitive=HEALTH),
    ListColumn("recorded_by", "登记人", ("recorded_by__name",)),
)
CHECK_COLUMNS = (
    _person("体检人"),
    *PLACE_COLUMNS,
    ListColumn("state", "体检", ("state",), write=_words(CHECK_WORDS)),
    ListColumn("checked_on", "体检日期", ("checked_on",), kind="date"),
    ListColumn("hospital", "体检机构", ("hospital",), width=24),
    ListColumn(
        "result", "体检结果", ("result",), shown=False, mask=covered, sensitive=HEALTH, width=30
    ),
)
CONTRACT_COLUMNS = (
    _person("签约人"),
    *PLACE_COLUMNS,
    ListColumn("state", "签约", ("state",), write=_words(CONTRACT_WORDS)),
    ListColumn("institution", "签约机构", ("institution",), width=24),
    ListColumn("doctor", "家庭医生", ("doctor",)),
    ListColumn("signed_on", "签约日期", ("signed_on",), kind="date"),
    ListColumn("until", "到期日期", ("until",), kind="date"),
)
INSURANCE_COLUMNS = (
    FAMILY_COLUMN,
    *PLACE_COLUMNS,
    ListColumn("insurer", "保险公司", ("insurer",), width=20),
    ListColumn("policy_number", "保单号", ("policy_number",), kind="code", width=20),
    ListColumn("starts_on", "起保日期", ("starts_on",), kind="date"),
    ListColumn("ends_on", "到期日期", ("ends_on",), kind="date"),
    ListColumn("state", "状态", ("state",), write=_words(INSURANCE_WORDS)),
)
AID_COLUMNS = (
    FAMILY_COLUMN,
    *PLACE_COLUMNS,
    ListColumn("received_on", "享受日期", ("received_on",), kind="date"),
    ListColumn("name", "待遇或救助", ("name",), width=24),
    ListColumn("amount", "金额（元）", ("amount",), kind="number"),
    ListColumn("receiver", "受助人", ("resident__name",), write=lambda name: name or "全家"),
    ListColumn("note", "说明", ("note",), shown=False, width=30),
)  # fmt: skip


# Recording the check of many --------------------------------------------------------------------


class ManyChecksForm(forms.Form):
    """One day and one hospital for everybody ticked."""

    checked_on = FlexibleDateField(label="体检日期")
    hospital = forms.CharField(label="体检机构", max_length=100)

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
        self.day = asked.day

    def clean_checked_on(self):
        day = self.cleaned_data["checked_on"]
        if day > self.day:
            raise forms.ValidationError(f"体检日期{day}在今天（{self.day}）之后。")
        return day


def checks_refused(rows: list[FamilyParent], *, by, values, day) -> dict[int, str]:
    """Who cannot have this check."""
    return special_care.check_refusals(rows, values["checked_on"])


def record_many(rows: list[FamilyParent], *, by, values, day) -> dict[int, str]:
    """The check of everybody else."""
    return special_care.record_checks(by=by, parents=rows, today=day, **values)


def load() -> None:
    """Register the registers and what may be done with their rows. Called once, by ready()."""
    for tab, unit, queryset, table, conditions, columns in (
        (TABS[0], "张", cards, CardTable, CardFilter, CARD_COLUMNS),
        (TABS[1], "次", priorities, PriorityTable, PriorityFilter, PRIORITY_COLUMNS),
        (TABS[2], "人", checks, CheckTable, CheckFilter, CHECK_COLUMNS),
        (TABS[3], "人", contracts, ContractTable, ContractFilter, CONTRACT_COLUMNS),
        (TABS[4], "份", insurances, InsuranceTable, InsuranceFilter, INSURANCE_COLUMNS),
        (TABS[5], "次", aids, AidTable, AidFilter, AID_COLUMNS),
    ):
        of_parents = tab.key in (CHECKS, CONTRACTS)
        listing.register(
            ListSpec(
                key=tab.key,
                title=tab.label,
                unit=unit,
                permission=Permission.SPECIAL_LIST,
                url_name=tab.url_name,
                queryset=queryset,
                table_class=table,
                filter_class=conditions,
                columns=columns,
                name_of=(lambda row: row.resident.name)
                if of_parents
                else (lambda row: row.parent_names),
                place_of=lambda row: f"{row.family.household.village.name}　{row.family.household}",
            )
        )
        acts.register(
            Act(
                tab.key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
    acts.register(
        Act(
            CHECKS, "record", "登记体检", Permission.SPECIAL_EDIT, form=ManyChecksForm,
            check=checks_refused, apply=record_many, effect="登记健康体检", most=500, order=10,
        )
    )  # fmt: skip
