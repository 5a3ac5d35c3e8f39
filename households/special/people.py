"""联系人: the list of who contacts families, and whose families wait for a successor."""

import django_filters
import django_tables2 as tables
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.identity import mask_phone
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, DayColumn, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households.models import ContactKind, ContactPerson, FamilyContact, SpecialFamily
from households.services import special_staffing
from households.special import staffing
from households.special.archive_list import KEY as ARCHIVES

KEY = "special-people"
# Why a contact's families wait for somebody else; "" for nobody's.
LEFT, DISABLED, AWAY = "left", "disabled", "away"
REASONS = {
    LEFT: "已离岗",
    DISABLED: "账号已停用",
    AWAY: "账号已调到别处，打不开其中的家庭",
}
IN_POST, HAND_OVER, GONE, EVERY = "", "handover", "gone", "all"


def people(user) -> QuerySet:
    """The contacts that the user may see, with `family_count` now and `why_hand_over`."""
    current = (
        FamilyContact.objects.visible_to(user)
        .filter(person=OuterRef("pk"), ended_on__isnull=True)
        .order_by()
    )
    counted = current.values("person").annotate(number=Count("pk")).values("number")
    # Whom the account no longer sees: it stands in another village, or in another township.
    unreachable = current.exclude(
        family__household__village__path__startswith=OuterRef("user__region__path")
    )
    return (
        ContactPerson.objects.visible_to(user)
        .select_related("user__region", "region")
        .annotate(family_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
        .annotate(
            why_hand_over=Case(
                When(family_count=0, then=Value("")),
                When(left_on__isnull=False, then=Value(LEFT)),
                When(user__is_active=False, then=Value(DISABLED)),
                When(Q(user__isnull=False) & Exists(unreachable), then=Value(AWAY)),
                default=Value(""),
                output_field=CharField(),
            ),
            has_account=Case(
                When(user__isnull=False, then=Value(True)),
                default=Value(False),
                output_field=BooleanField(),
            ),
        )
    )


def to_hand_over(user) -> QuerySet:
    """Contacts who left, or whose account cannot open their families, and who still have some."""
    return people(user).exclude(why_hand_over="")


class PersonFilter(FilterSet):
    """Conditions of the list. Without 状态 those in office and those whose families wait."""

    kind = django_filters.ChoiceFilter(
        label="类别", choices=ContactKind.choices, empty_label="全部"
    )
    account = django_filters.ChoiceFilter(
        label="账号", choices=[("yes", "有账号"), ("no", "没有账号")], method="by_account",
        empty_label="全部",
    )  # fmt: skip
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[(HAND_OVER, "待交接"), (GONE, "已离岗"), (EVERY, "全部")],
        method="by_state",
        empty_label="在岗和待交接",
    )

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return queryset
        return queryset.filter(Q(left_on__isnull=True) | Q(family_count__gt=0))

    def by_account(self, queryset, name, value):
        return queryset.filter(has_account=value == "yes")

    def by_state(self, queryset, name, value):
        if value == HAND_OVER:
            return queryset.exclude(why_hand_over="")
        return queryset.filter(left_on__isnull=False) if value == GONE else queryset


class PersonTable(Table):
    """One contact a row."""

    name = NameColumn(
        linkify=lambda record: reverse("households:special-person-detail", args=[record.pk])
    )
    kind = tables.Column(attrs=NOWRAP)
    post = tables.Column()
    phone = tables.Column(attrs=NOWRAP)
    account = tables.Column("账号", accessor="user__username")
    family_count = NumberColumn("现联系（户）", orderable=True)
    state = tables.Column("状态", accessor="why_hand_over", attrs=NOWRAP, empty_values=())
    left_on = DayColumn()

    class Meta:
        model = ContactPerson
        fields = ("name", "kind", "post", "phone", "account", "family_count", "state", "left_on")

    def render_kind(self, value):
        return value

    def render_phone(self, value):
        return mask_phone(value)

    def render_state(self, record):
        return state_tag(record)


def state_tag(person: ContactPerson):
    """The state of a person of people(), as the look shows it."""
    if person.why_hand_over:
        return status_tag("warn", "待交接")
    return status_tag("off", "已离岗") if person.left_on else status_tag("ok", "在岗")


def _state_word(why: str, left_on) -> str:
    return "待交接" if why else "已离岗" if left_on else "在岗"


def waiting_for(user, day) -> list[Todo]:
    """For the clerk: contacts whose families wait for a successor, families with too few contacts."""
    leaving = to_hand_over(user).count()
    families = SpecialFamily.objects.visible_to(user).open_on(day).order_by()
    short = staffing.shortfalls(families, day).count()
    people_url = f"{reverse('households:special-person-list')}?state={HAND_OVER}"
    lines = [Todo("联系人待交接", leaving, people_url, "warn", "待交接", act="去交接")]
    return lines + [Todo("特殊家庭联系人不足", short, short_url(), "warn", "要补齐", act="去安排")]


def short_url() -> str:
    """The list of archives that staffing.shortfalls() finds."""
    return f"{reverse('households:special-family-list')}?contacts=short"


COLUMNS = (
    ListColumn("name", "姓名", ("name",), fixed=True),
    ListColumn("kind", "类别", ("kind",), width=10),
    ListColumn("post", "单位职务", ("post",), width=24),
    ListColumn("phone", "联系电话", ("phone",), kind="code", mask=mask_phone, width=14),
    ListColumn("account", "账号", ("user__username",), width=16),
    ListColumn("family_count", "现联系（户）", ("family_count",), kind="number", width=10),
    ListColumn("state", "状态", ("why_hand_over", "left_on"), write=_state_word, width=10),
    ListColumn("left_on", "离岗日期", ("left_on",), kind="date", shown=False),
)


def load() -> None:
    """Register the list, its events and what waits. Called once, by ready()."""
    register_types(special_staffing.EVENT_TYPES, {})
    listing.register(
        ListSpec(
            key=KEY,
            title="联系人",
            unit="人",
            permission=Permission.SPECIAL_LIST,
            url_name="households:special-person-list",
            queryset=lambda asked: people(asked.user),
            table_class=PersonTable,
            filter_class=PersonFilter,
            columns=COLUMNS,
            place_of=lambda person: person.region.name,
        )
    )
    acts.register(
        Act(
            ARCHIVES, "cards", "打印联系知情卡", Permission.SPECIAL_LIST,
            opens="households:special-contact-cards", for_all=True, order=90,
        )
    )  # fmt: skip
    todos.register(TodoSource("special-contacts", Permission.SPECIAL_EDIT, waiting_for, order=32))
