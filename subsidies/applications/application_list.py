"""The list of applications (申请办理): page, export, and who is reminded of which."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from subsidies.applications import batch
from subsidies.applications.steps import OVERDUE_AFTER, TAGS, overdue, waiting_words, waits_for
from subsidies.models import OPEN_STATES, Application, ApplicationState
from subsidies.notices.terms import changes
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.services import application_papers, application_printing
from subsidies.services import applications as services

KEY = "benefit-applications"
EVERY = "all"
YES = [("true", "是")]


def applications(asked: Asked) -> QuerySet:
    """The applications that the user may see, as the list shows them."""
    return Application.objects.visible_to(asked.user).for_list().select_related("submitted_by")


class ApplicationFilter(FilterSet):
    """Conditions of the list. Without 状态 those under way."""

    mine = django_filters.ChoiceFilter(
        label="等我办理", choices=YES, method="by_mine", empty_label="不限"
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=(), empty_label="全部"
    )
    state = django_filters.ChoiceFilter(
        label="状态", choices=[*ApplicationState.choices, (EVERY, "全部")], method="by_state",
        empty_label="办理中",
    )  # fmt: skip
    village = NamedFilter(
        label="村（社区）",
        field_name="resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    late = django_filters.ChoiceFilter(
        label="逾期", choices=YES, method="by_late", empty_label="不限"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["policy"].extra["choices"] = [
            (code, catalogue.name_of(code)) for code in codes_for(self.request.user)
        ]

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return queryset
        return queryset.filter(state__in=OPEN_STATES)

    def by_mine(self, queryset, name, value):
        return queryset.filter(waits_for(self.request.user, self.request.day))

    def by_state(self, queryset, name, value):
        return queryset if value == EVERY else queryset.filter(state=value)

    def by_late(self, queryset, name, value):
        return queryset.filter(overdue(self.request.day))


class ApplicationTable(Table):
    """One application a row."""

    resident = NameColumn(
        "申请人", accessor="resident__name", linkify=lambda record: record.get_absolute_url()
    )
    village = tables.Column(
        "村（社区）", accessor="resident__village__name", attrs=NOWRAP, orderable=True,
        order_by=("resident__village__path", "resident__household__number"),
    )  # fmt: skip
    household = tables.Column("户编号", accessor="resident__household__number")
    policy = tables.Column("政策", accessor="policy_code")
    grade = tables.Column("等级")
    state = tables.Column(attrs=NOWRAP)
    waiting = tables.Column(
        "等待", accessor="waiting_since", attrs=NOWRAP_WIDE, empty_values=(), orderable=True
    )
    applied_on = DayColumn(orderable=True)
    submitted_by = tables.Column("经办人", accessor="submitted_by__name", attrs=NOWRAP)
    number = tables.Column("申请编号", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = Application
        fields = (
            "resident", "village", "household", "policy", "grade", "state", "waiting",
            "applied_on", "submitted_by", "number",
        )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.day, self.changed = dates.today(), None

    def called(self, record) -> str:
        return f"{record.resident.name}　{record.resident.village.name}"

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_grade(self, value):
        return value or NOTHING

    def render_state(self, record):
        return state_tag(record)

    def render_number(self, record):
        return number_words(record.pk, record.applied_on)

    def render_waiting(self, record):
        if self.changed is None:
            self.changed = changes()
        words = waiting_words(record, self.day, self.changed)
        return status_tag("bad", words) if "逾期" in words else words or NOTHING


def state_tag(application: Application):
    """The application's state as the look shows it."""
    return status_tag(TAGS[application.state], application.get_state_display())


def number_words(pk: int, applied_on) -> str:
    """申请编号, SQ2018-000123: it tells neither policy nor place."""
    return f"SQ{applied_on:%Y}-{pk:06d}"


def waiting_for(user, day) -> list[Todo]:
    """What is the user's to see to, and of it what has waited too long."""
    mine = Application.objects.visible_to(user).filter(waits_for(user, day), state__in=OPEN_STATES)
    late = mine.filter(overdue(day))
    desk = f"{reverse('subsidies:application-list')}?mine=true"
    return [
        Todo("待遇申请等我办理", mine.count(), desk, "wait", "待办理"),
        Todo(
            f"待遇申请超过{OVERDUE_AFTER}个工作日", late.count(), f"{desk}&late=true", "bad", "逾期"
        ),
    ]


def waiting_count(user) -> int:
    """How many are the user's to see to today: the number beside the menu's line."""
    mine = Application.objects.visible_to(user).filter(waits_for(user, dates.today()))
    return mine.filter(state__in=OPEN_STATES).count()


COLUMNS = (
    ListColumn(
        "resident", "申请人", ("resident__name", "resident__village__name"), fixed=True,
        write=lambda name, *_: name,
    ),
    ListColumn("village", "村（社区）", ("resident__village__name",), width=16),
    ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
    # Some policies tell of a child's death or illness: a file that names policies counts as health.
    ListColumn(
        "policy", "政策", ("policy_code",), sensitive=HEALTH, width=34, write=catalogue.name_of
    ),
    ListColumn("grade", "等级", ("grade",), sensitive=HEALTH, shown=False),
    ListColumn(
        "state", "状态", ("state",), width=14, write=lambda state: ApplicationState(state).label
    ),
    ListColumn("waiting", "等待自", ("waiting_since", "state"), kind="time", width=18),
    ListColumn("applied_on", "申请日期", ("applied_on",), kind="date"),
    ListColumn("submitted_by", "经办人", ("submitted_by__name",)),
    ListColumn("number", "申请编号", ("pk", "applied_on"), width=16, write=number_words),
)  # fmt: skip


def load() -> None:
    """Register the list, its acts, its events and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="申请办理",
            unit="件",
            permission=Permission.BENEFIT_VIEW,
            url_name="subsidies:application-list",
            queryset=applications,
            table_class=ApplicationTable,
            filter_class=ApplicationFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.resident.name}　{catalogue.name_of(row.policy_code)}",
            place_of=lambda row: row.resident.village.name,
        )
    )
    acts.register(
        Act(
            KEY, "pass", "通过所选", Permission.BENEFIT_VIEW, apply=batch.pass_rows,
            check=batch.exceptions, effect="通过现在这一步，转到下一步；县级确认的列入在册对象",
            most=200, exceptions_only=True, order=10,
        )
    )  # fmt: skip
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    todos.register(TodoSource(KEY, Permission.BENEFIT_VIEW, waiting_for, order=41))
    for part in (services, application_papers, application_printing):
        register_types(part.EVENT_TYPES)
