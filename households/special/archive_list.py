"""The list of archives (家庭档案): page, export, and what may be done with many."""

from datetime import date

import django_filters
import django_tables2 as tables
from django.db.models import (
    Case,
    CharField,
    Exists,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from households import selectors
from households.models import (
    ContactRecord,
    FamilyKind,
    FamilyParent,
    MedicalCard,
    SpecialFamily,
)
from households.services import special_printing
from households.special import due, staffing
from households.special.rules import rule_book

KEY = "special-families"
MET, DUE, OVER = "met", "due", "closed"
MONTH_WORDS = {MET: "已联系", DUE: "待联系", OVER: "已结案"}
MONTH_TAGS = {MET: "ok", DUE: "wait", OVER: "off"}
CLOSED, EVERY = "closed", "all"


def archives(asked: Asked) -> QuerySet:
    """The archives that the user may see, open and closed, as the list shows them."""
    return with_state(SpecialFamily.objects.visible_to(asked.user), asked.day).select_related(
        "household__village"
    )


def with_state(families: QuerySet, day: date) -> QuerySet:
    """With parents' names, contacts and how many are asked for, last contact, this month, card.

    In one statement for any number of archives.
    """
    book = rule_book(day)
    records = ContactRecord.objects.counted().filter(
        contact__family=OuterRef("pk"), happened_on__lte=day
    )
    return due.with_month(staffing.with_staffing(families, day, book), day, book).annotate(
        parent_names=parent_names(),
        last_contact_on=Subquery(
            records.order_by().values("contact__family").annotate(d=Max("happened_on")).values("d")
        ),
        month_state=Case(
            When(closed_on__lte=day, then=Value(OVER)),
            When(due.IS_DUE, then=Value(DUE)),
            default=Value(MET),
        ),
        has_card=Exists(MedicalCard.objects.valid_on(day).filter(family=OuterRef("pk"))),
    )


def parent_names(family: str = "pk") -> Coalesce:
    """The names of an archive's parents as it has them now, for one whose key is `family`."""
    names = (
        FamilyParent.objects.filter(family=OuterRef(family), ended_on__isnull=True)
        .order_by("pk")
        .values("resident__name")
    )
    first, second = Subquery(names[:1]), Subquery(names[1:2])
    both = Concat(first, Value("、"), second, output_field=CharField())
    return Case(
        When(Exists(names[1:2]), then=both), default=Coalesce(first, Value("")),
        output_field=CharField(),
    )  # fmt: skip


class ArchiveFilter(FilterSet):
    """Conditions of the list. Without 状态 the archives that are open."""

    village = NamedFilter(
        label="村（社区）",
        field_name="household__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    kind = django_filters.ChoiceFilter(
        label="家庭类型", choices=FamilyKind.choices, empty_label="全部"
    )
    contacts = django_filters.ChoiceFilter(
        label="联系人", choices=[("short", "不够要求"), ("none", "没有联系人")],
        method="by_contacts", empty_label="全部",
    )  # fmt: skip
    month = django_filters.ChoiceFilter(
        label="本月", choices=[(DUE, MONTH_WORDS[DUE]), (MET, MONTH_WORDS[MET])],
        field_name="month_state", empty_label="全部",
    )  # fmt: skip
    missed = django_filters.ChoiceFilter(
        label="漏联系", choices=[("year", "本年有漏月"), ("twelve", "近12个月有漏月")],
        method="by_missed", empty_label="全部",
    )  # fmt: skip
    state = django_filters.ChoiceFilter(
        label="状态", choices=[(CLOSED, "已结案"), (EVERY, "在管和已结案")],
        method="by_state", empty_label="在管",
    )  # fmt: skip

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return (
            queryset if self.form.cleaned_data.get("state") else queryset.open_on(self.request.day)
        )

    def by_contacts(self, queryset, name, value):
        if value == "none":
            return queryset.filter(contact_count=0)
        return staffing.shortfalls(queryset, self.request.day)

    def by_missed(self, queryset, name, value):
        day = self.request.day
        start = day.replace(month=1, day=1)
        if value == "twelve":
            start = date(day.year - 1, day.month, 1)
        return due.with_gaps(queryset, due.finished_since(start, day))

    def by_state(self, queryset, name, value):
        return queryset if value == EVERY else queryset.filter(closed_on__lte=self.request.day)


class ArchiveTable(Table):
    """One archive a row."""

    parents = NameColumn(
        "父母", accessor="parent_names", linkify=lambda record: record.get_absolute_url(),
        empty_values=(),
    )  # fmt: skip
    village = tables.Column(
        "村（社区）", accessor="household__village__name", attrs=NOWRAP, orderable=True,
        order_by=("household__village__path", "household__number"),
    )  # fmt: skip
    household = tables.Column("户编号", accessor="household__number")
    kind = tables.Column(accessor="kind")
    opened_on = DayColumn(orderable=True)
    contacts = tables.Column("联系人", accessor="contact_count", attrs=NUMERIC)
    last_contact_on = DayColumn("最近联系", orderable=True)
    month = tables.Column("本月", accessor="month_state", attrs=NOWRAP)
    card = tables.Column("就医卡", accessor="has_card")
    closed_on = DayColumn()

    class Meta:
        model = SpecialFamily
        fields = (
            "parents", "village", "household", "kind", "opened_on", "contacts", "last_contact_on",
            "month", "card", "closed_on",
        )  # fmt: skip

    def render_parents(self, value):
        return value or "父母已不在档案中"

    def render_kind(self, value):
        return value

    def render_contacts(self, value, record):
        return contacts_words(value, record.contacts_required)

    def render_month(self, value):
        return status_tag(MONTH_TAGS[value], MONTH_WORDS[value])

    def render_card(self, value):
        return "有" if value else NOTHING


def contacts_words(count: int, required: int) -> str:
    """3/3: how many contacts a family has, and how many the office asks for."""
    return f"{count}/{required}"


COLUMNS = (
    # Who stands in this list has lost a child or has a disabled one: every file of it tells health.
    ListColumn(
        "parents", "父母", ("parent_names", "household__village__name", "household__number"),
        fixed=True, width=18, sensitive=HEALTH, write=lambda names, *_: names,
    ),
    ListColumn("village", "村（社区）", ("household__village__name",), width=16),
    ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
    ListColumn("kind", "家庭类型", ("kind",), sensitive=HEALTH),
    ListColumn("opened_on", "建档日期", ("opened_on",), kind="date"),
    ListColumn(
        "contacts", "联系人", ("contact_count", "contacts_required"), write=contacts_words, width=8
    ),
    ListColumn("last_contact_on", "最近联系", ("last_contact_on",), kind="date"),
    ListColumn("month", "本月", ("month_state",), write=MONTH_WORDS.get, width=10),
    ListColumn(
        "card", "就医卡", ("has_card",), write=lambda has: "有" if has else "", width=8
    ),
    ListColumn("closed_on", "结案日期", ("closed_on",), kind="date", shown=False),
)  # fmt: skip


def load() -> None:
    """Register the list and its acts. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="家庭档案",
            unit="户",
            permission=Permission.SPECIAL_VIEW,
            url_name="households:special-family-list",
            queryset=archives,
            table_class=ArchiveTable,
            filter_class=ArchiveFilter,
            columns=COLUMNS,
            name_of=lambda row: row.parent_names or str(row.household),
            place_of=lambda row: f"{row.household.village.name}　{row.household}",
            sensitive={"kind": HEALTH},
        )
    )
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    acts.register(
        Act(
            KEY, "print", "打印档案", Permission.SPECIAL_LIST, opens="households:special-print",
            for_all=True, order=90,
        )
    )  # fmt: skip
    register_types(special_printing.EVENT_TYPES, {})
