"""The desk of changes of the rolls: its list, what may be done with many, and what waits for whom."""

from datetime import datetime, timedelta

import django_filters
import django_tables2 as tables
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from subsidies.forms.enrolments import RefuseManyForm
from subsidies.models import Enrolment, EnrolmentChange
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.policies.seeing import codes_for
from subsidies.rolls import limits, misfits, roll_list
from subsidies.services.enrolments import DECIDED, OWN, decide_change

KEY = "enrolment-changes"
Kind, Decision = EnrolmentChange.Kind, EnrolmentChange.Decision
WAITING = "待审核"
TAGS = {Decision.ACCEPTED: "ok", Decision.REFUSED: "bad", Decision.WITHDRAWN: "off"}
DAYS_TO_ANSWER = 30  # a change sent back is a task of its proposer for so long
MOST = 200


def changes(asked: Asked) -> QuerySet:
    """Changes of the lines that the user may see."""
    return EnrolmentChange.objects.visible_to(asked.user).select_related(
        "enrolment__resident__household",
        "enrolment__resident__village",
        "proposed_by",
        "decided_by",
    )


def waiting_for_decision(user) -> QuerySet:
    """Changes that somebody else proposed and nobody has decided."""
    waiting = EnrolmentChange.objects.visible_to(user).filter(decision="")
    return waiting.exclude(proposed_by=user)


def changes_to_decide(user) -> int:
    """How many of them wait for this user, for the menu."""
    return waiting_for_decision(user).count() if user.may(Permission.BENEFIT_REVIEW) else 0


class ChangeFilter(FilterSet):
    """Conditions of the desk. Without 状态 those that wait show."""

    state = django_filters.ChoiceFilter(
        label="状态", choices=[*Decision.choices, ("all", "全部")], method="by_state",
        empty_label=WAITING,
    )  # fmt: skip
    kind = django_filters.ChoiceFilter(label="事项", choices=Kind.choices, empty_label="全部")
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="enrolment__policy_code", choices=[], empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="enrolment__resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.form.fields["policy"].choices = [
            (code, catalogue.name_of(code)) for code in codes_for(request.user)
        ]

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.filter(decision="")

    def by_state(self, queryset, name, value):
        return queryset if value == "all" else queryset.filter(decision=value)


class ChangeTable(Table):
    """One change a row; the name leads to the line, the last cell to where it is decided."""

    name = NameColumn(
        "姓名", accessor="enrolment__resident__name",
        linkify=lambda record: record.enrolment.get_absolute_url(),
    )  # fmt: skip
    village = tables.Column(
        "村（社区）", accessor="enrolment__resident__village__name", attrs=NOWRAP
    )
    household = tables.Column("户编号", accessor="enrolment__resident__household__number")
    policy = tables.Column("政策", accessor="enrolment__policy_code")
    kind = tables.Column(attrs=NOWRAP)
    month = tables.Column(attrs=NOWRAP)
    end_reason = tables.Column(attrs=NOWRAP)
    note = tables.Column(attrs=WIDE)
    proposed_by = tables.Column("提出人", accessor="proposed_by__name", attrs=NOWRAP)
    proposed_at = TimeColumn(orderable=True, attrs=NOWRAP_WIDE)
    decision = tables.Column("状态", empty_values=(None,), attrs=NOWRAP)
    decision_note = tables.Column()
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = EnrolmentChange
        fields = (
            "name", "village", "household", "policy", "kind", "month", "end_reason", "note",
            "proposed_by", "proposed_at", "decision", "decision_note", "acts",
        )  # fmt: skip

    def called(self, record):
        return record.enrolment.resident.name

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_month(self, value):
        return roll_list.month_dash(value)

    def render_decision(self, record):
        return state_tag(record)

    def render_acts(self, record):
        user = self.request.user
        if record.decision or record.proposed_by_id == user.pk:
            return NOTHING
        if not user.may(Permission.BENEFIT_REVIEW):
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="审核：{}">审核</a>',
            reverse("subsidies:change-decide", args=[record.pk]),
            record.enrolment.resident.name,
        )


def state_tag(change: EnrolmentChange):
    """The change's state as the look shows it."""
    if not change.decision:
        return status_tag("wait", WAITING)
    return status_tag(TAGS[change.decision], change.get_decision_display())


def undecidable(rows: list[EnrolmentChange], *, by, values, day) -> dict[int, str]:
    """Changes that wait no more, and one's own."""
    reasons = {}
    for row in rows:
        if row.decision:
            reasons[row.pk] = DECIDED
        elif row.proposed_by_id == by.pk:
            reasons[row.pk] = OWN
    return reasons


def unacceptable(rows: list[EnrolmentChange], *, by, values, day) -> dict[int, str]:
    """Those, and what has meanwhile become wrong."""
    reasons, now = undecidable(rows, by=by, values=values, day=day), timezone.now()
    lines = {row.enrolment_id: row.enrolment for row in rows if row.pk not in reasons}
    standings = limits.standings(lines.values(), {row.month for row in rows})
    for row in rows:
        words = "" if row.pk in reasons else _refused(row, standings[row.enrolment_id], now)
        if words:
            reasons[row.pk] = words
    return reasons


def fault_of(change: EnrolmentChange, line: Enrolment) -> str:
    """Why the change could not be accepted as the line stands now; "" where it could."""
    standing = limits.standings([line], [change.month])[line.pk]
    return _refused(change, standing, timezone.now())


def _refused(change: EnrolmentChange, standing: limits.Standing, now: datetime) -> str:
    _, words = limits.refusal(
        standing, change.kind, change.month, change.end_reason, now,
        never_paid=change.month < standing.line.start_month,
    )  # fmt: skip
    return words


@transaction.atomic
def decide_rows(rows: list[EnrolmentChange], accept: bool, *, by, values, day) -> dict[int, str]:
    """Decide them one after the other; those refused after all are named."""
    refused = {}
    # Whoever decides others at the same time locks people in the same order.
    for row in sorted(rows, key=lambda row: row.enrolment.resident_id):
        try:
            decide_change(
                by=by, change=row, accept=accept, note=values.get("note", ""), now=timezone.now()
            )
        except RuleViolation as violation:
            refused[row.pk] = violation.message
    return refused


def accept_rows(rows, **asked) -> dict[int, str]:
    """Carry out all that was proposed."""
    return decide_rows(rows, True, **asked)


def refuse_rows(rows, **asked) -> dict[int, str]:
    """Send them all back for the same reason."""
    return decide_rows(rows, False, **asked)


def _called(row: EnrolmentChange) -> str:
    reason = f"　{row.end_reason}" if row.end_reason else ""
    return f"{row.enrolment.resident.name}　{row.get_kind_display()}　{row.month:%Y-%m}{reason}　{row.note}"


def todos_of(user, day) -> list[Todo]:
    """For the reviewer what waits; for the clerk what came back, and lines that no longer fit."""
    found = []
    if user.may(Permission.BENEFIT_REVIEW):
        desk = reverse("subsidies:change-list")
        count = waiting_for_decision(user).count()
        found.append(Todo("在册变动待审核", count, desk, "wait", WAITING, act="去审核"))
    if user.may(Permission.BENEFIT_EDIT):
        found += [_sent_back(user, day), *_misfits(user, day)]
    return found


def _sent_back(user, day) -> Todo:
    """Not what the line's next proposal has answered."""
    since = day - timedelta(days=DAYS_TO_ANSWER)
    back = EnrolmentChange.objects.visible_to(user).filter(
        decision=Decision.REFUSED, proposed_by=user, decided_at__date__gte=since
    )
    again = EnrolmentChange.objects.filter(decision="").values("enrolment")
    url = reverse("subsidies:change-list") + "?state=refused"
    count = back.exclude(enrolment__in=again).count()
    return Todo("在册变动被退回", count, url, "bad", "已退回", act="去看原因")


def _misfits(user, day) -> list[Todo]:
    """People on a roll who are dead, gone, or no longer qualify; each count leads to its list."""
    book, found = policy_book(day), []
    for key in (roll_list.KEY, roll_list.SENSITIVE_KEY):
        hidden = catalogue.sensitive_codes()
        sensitive = key == roll_list.SENSITIVE_KEY
        lines = Enrolment.objects.visible_to(user).order_by()
        lines = (
            lines.filter(policy_code__in=hidden)
            if sensitive
            else lines.exclude(policy_code__in=hidden)
        )
        codes = misfits.codes_drawn(user, day, roll_list.codes_of(user, sensitive=sensitive))
        for kind, words in misfits.WORDS.items():
            wrong = misfits.lines(kind, day, user.scope_path, book, codes)
            url = f"{reverse(roll_list.URLS[key])}?check={kind}"
            label = f"{roll_list.TITLES[key]}：{words}"
            found.append(
                Todo(label, lines.filter(wrong).count(), url, "warn", "待核对", act="去核对")
            )
    return found


COLUMNS = (
    ListColumn(
        "name", "姓名", ("enrolment__resident__name",), fixed=True, sensitive=HEALTH
    ),
    ListColumn("village", "村（社区）", ("enrolment__resident__village__name",), width=16),
    ListColumn(
        "household", "户编号", ("enrolment__resident__household__number",), kind="code", width=10
    ),
    ListColumn("policy", "政策", ("enrolment__policy_code",), write=catalogue.name_of, width=30),
    ListColumn("kind", "事项", ("kind",), write=lambda kind: Kind(kind).label),
    ListColumn("month", "年月", ("month",), write=roll_list.month_dash, width=10),
    ListColumn("end_reason", "退出原因", ("end_reason",)),
    ListColumn("note", "说明", ("note",), width=40),
    ListColumn("proposed_by", "提出人", ("proposed_by__name",)),
    ListColumn(
        "proposed_at", "提出时间", ("proposed_at",), kind="time", shown=False, width=18
    ),
    ListColumn(
        "decision", "状态", ("decision",),
        write=lambda decision: Decision(decision).label if decision else WAITING,
    ),
    ListColumn("decision_note", "处理说明", ("decision_note",), shown=False, width=30),
    ListColumn("acts", "操作", ("proposed_by",), fixed=True, in_file=False),
)  # fmt: skip


def load() -> None:
    """Register the desk, its acts and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="在册变动",
            unit="条",
            permission=Permission.BENEFIT_VIEW,
            url_name="subsidies:change-list",
            queryset=changes,
            table_class=ChangeTable,
            filter_class=ChangeFilter,
            columns=COLUMNS,
            name_of=_called,
            place_of=lambda row: row.enrolment.resident.village.name,
        )
    )
    for act in (
        Act(
            KEY, "accept", "同意所选", Permission.BENEFIT_REVIEW, apply=accept_rows,
            check=unacceptable, effect="按提出的内容办理", most=MOST, order=10,
        ),
        Act(
            KEY, "refuse", "退回所选", Permission.BENEFIT_REVIEW, apply=refuse_rows,
            check=undecidable, form=RefuseManyForm, effect="退回提出人", most=MOST, order=20,
        ),
    ):  # fmt: skip
        acts.register(act)
    todos.register(TodoSource("enrolment-changes", Permission.BENEFIT_VIEW, todos_of, order=41))
