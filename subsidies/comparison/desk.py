"""The desk's list (比对核查): page, export, acts on many, and what waits for whom."""

import django_filters
import django_tables2 as tables
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission, Role
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.menu import Figure
from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from subsidies.comparison.rules import RULES, TITLES
from subsidies.forms.comparison import AssignForm, JudgeManyForm
from subsidies.models import Difference, RosterEntry, RosterSource
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.services import comparison

KEY = "differences"
OPEN, MEND, CLOSED, EVERY = "open", "mend", "closed", "all"
STATES = {OPEN: "待核实", MEND: "待更正", CLOSED: "已办结", EVERY: "全部"}
NOBODY, MINE = "none", "me"
OWN_RECORDS = "own"


def differences(asked: Asked) -> QuerySet:
    """Differences of the user's region that may be told to the user."""
    return Difference.objects.visible_to(asked.user).for_list()


def in_state(rows: QuerySet, state: str) -> QuerySet:
    """Those in one of STATES."""
    if state == EVERY:
        return rows
    return {OPEN: rows.open, MEND: rows.to_mend, CLOSED: rows.closed}[state]()


def owners(user) -> QuerySet:
    """Who of the user's region may be handed a difference: clerks, and propagandists of their village."""
    roles = [Role.CLERK, Role.PROPAGANDIST]
    people = User.objects.visible_to(user).filter(is_active=True, role__in=roles)
    return people.order_by("region__level", "region__path", "name", "pk")


class DifferenceFilter(FilterSet):
    """Conditions of the desk. Without 状态 those that wait show."""

    kind = django_filters.ChoiceFilter(
        label="类别", choices=Difference.Kind.choices, empty_label="全部"
    )
    rule = django_filters.ChoiceFilter(
        label="规则", choices=list(TITLES.items()), empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=[], empty_label="全部"
    )
    owner = django_filters.ChoiceFilter(
        label="承办人", choices=[], method="by_owner", empty_label="全部"
    )
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[(key, word) for key, word in STATES.items() if key != OPEN],
        method="by_state",
        empty_label=STATES[OPEN],
    )
    source = django_filters.ChoiceFilter(
        label="名单来源",
        choices=[*RosterSource.choices, (OWN_RECORDS, "本系统自查")],
        method="by_source",
        empty_label="全部",
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        fields = self.form.fields
        fields["policy"].choices = [
            (code, catalogue.name_of(code)) for code in codes_for(request.user)
        ]
        fields["owner"].choices = [
            (MINE, "我的"), (NOBODY, "未分派"),
            *((str(pk), name) for pk, name in owners(request.user).values_list("pk", "name")),
        ]  # fmt: skip

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.open()

    def by_state(self, queryset, name, value):
        return in_state(queryset, value)

    def by_owner(self, queryset, name, value):
        if value == NOBODY:
            return queryset.filter(owner__isnull=True)
        return queryset.filter(owner=self.request.user.pk if value == MINE else value)

    def by_source(self, queryset, name, value):
        source = "" if value == OWN_RECORDS else value
        return queryset.filter(rule__in=[k for k, rule in RULES.items() if rule.source == source])


class DifferenceTable(Table):
    """One difference a row; the person leads to both sides of it."""

    name = NameColumn(
        "姓名", accessor="resident__name", orderable=True,
        order_by=("resident__name_initials", "resident__name"),
        linkify=lambda record: record.get_absolute_url(),
    )  # fmt: skip
    kind = tables.Column(attrs=NOWRAP)
    village = tables.Column(
        "村（社区）", accessor="resident__village__name", attrs=NOWRAP, orderable=True,
        order_by=("resident__village__path", "resident__household__number"),
    )  # fmt: skip
    policy = tables.Column("政策", accessor="policy_code", empty_values=())
    rule = tables.Column("问题")
    detail = tables.Column(attrs=WIDE)
    owner = tables.Column("承办人", accessor="owner__name", attrs=NOWRAP)
    found_on = DayColumn(orderable=True)
    state = tables.Column("状态", accessor="verdict", empty_values=(), attrs=NOWRAP)

    class Meta:
        model = Difference
        fields = (
            "name", "kind", "village", "policy", "rule", "detail", "owner", "found_on", "state",
        )  # fmt: skip

    def called(self, record):
        return record.resident.name

    def render_kind(self, record):
        return record.get_kind_display()

    def render_policy(self, value):
        return catalogue.name_of(value) if value else NOTHING

    def render_rule(self, value):
        return TITLES.get(value, value)

    def render_state(self, record):
        return status_tag(*state_of(record))


def state_of(row: Difference) -> tuple[str, str]:
    """The kind and word of its status tag."""
    if not row.verdict:
        return ("off", "已消除") if row.gone_on else ("warn", "待核实")
    if row.verdict != Difference.Verdict.RIGHT:
        return "ok", row.get_verdict_display()
    return ("ok", "已更正") if row.gone_on else ("run", "待更正")


def state_words(verdict: str, gone_on) -> str:
    """The same for a file."""
    return state_of(Difference(verdict=verdict, gone_on=gone_on))[1]


def figures(user) -> list[Figure]:
    """How many wait of each kind, how many mistakes are to be mended, and new lines of lists."""
    kinds = Difference.Kind
    seen = Difference.objects.visible_to(user).filter(gone_on__isnull=True).order_by()
    counts = seen.aggregate(
        **{kind: Count("pk", filter=Q(verdict="", kind=kind)) for kind in kinds.values},
        mend=Count("pk", filter=Q(verdict=Difference.Verdict.RIGHT)),
    )
    desk = reverse("subsidies:difference-list")
    words = {
        kinds.WRONG: "错（待核实）",
        kinds.DOUBLE: "重（待核实）",
        kinds.MISSING: "漏（待核实）",
    }
    shown = [
        Figure(word, counts[kind], f"{desk}?kind={kind}" if counts[kind] else "", unit="件")
        for kind, word in words.items()
    ]
    mend = f"{desk}?state={MEND}" if counts["mend"] else ""
    shown.append(Figure("我方有误待更正", counts["mend"], mend, unit="件"))
    if user.may(Permission.BENEFIT_EDIT):
        shown.append(Figure("新名单未比对", new_entries(user), unit="行"))
    return shown


def new_entries(user) -> int:
    """Lines that the user's office brought in and nobody compared yet."""
    return RosterEntry.objects.of_office(user.region).new().count()


def open_count(user) -> int:
    """What waits at the desk, for the menu."""
    return Difference.objects.visible_to(user).open().order_by().count()


def waiting_for(user, day) -> list[Todo]:
    """One's own differences; for the clerk also those that nobody has, and lists not compared yet."""
    desk = reverse("subsidies:difference-list")
    mine = Q(owner=user.pk)
    counts = (
        Difference.objects.visible_to(user)
        .filter(gone_on__isnull=True)
        .order_by()
        .aggregate(
            own=Count("pk", filter=mine & Q(verdict="")),
            mend=Count("pk", filter=mine & Q(verdict=Difference.Verdict.RIGHT)),
            nobody=Count("pk", filter=Q(owner__isnull=True, verdict="")),
        )
    )
    own = f"{desk}?owner={MINE}"
    mend = f"{own}&state={MEND}"
    found = [
        Todo("比对差异待核实", counts["own"], own, "warn", "待核实", "分派给您的", "去核实"),
        Todo("比对差异待更正", counts["mend"], mend, "warn", "待更正", "已认定我方有误", "去更正"),
    ]
    if user.may(Permission.BENEFIT_EDIT):
        nobody, new = f"{desk}?owner={NOBODY}", new_entries(user)
        found += [
            Todo("比对差异未分派", counts["nobody"], nobody, "wait", "待分派", act="去分派"),
            Todo("新名单未比对", new, desk, "wait", "待比对", "其他部门名单（行）", "去比对"),
        ]
    return found


def closed_already(rows: list[Difference], *, by, values, day) -> dict[int, str]:
    """Those that nobody can judge or hand out any more."""
    return {row.pk: f"{state_of(row)[1]}，不用再办" for row in rows if row.verdict or row.gone_on}


def assign_rows(rows: list[Difference], *, by, values, day) -> dict[int, str]:
    """Hand them to one person."""
    return comparison.assign(by=by, differences=rows, owner=values["owner"])


def judge_rows(rows: list[Difference], *, by, values, day) -> dict[int, str]:
    """The same verdict and proof for all."""
    return comparison.judge(by=by, differences=rows, now=timezone.now(), **values)


COLUMNS = (
    ListColumn("name", "姓名", ("resident__name",), fixed=True),
    ListColumn("kind", "类别", ("kind",), write=lambda kind: Difference.Kind(kind).label, width=8),
    ListColumn("village", "村（社区）", ("resident__village__name",), width=16),
    ListColumn(
        "policy", "政策", ("policy_code",), sensitive=HEALTH, width=30,
        write=lambda code: catalogue.name_of(code) if code else "",
    ),
    ListColumn("rule", "问题", ("rule",), write=lambda key: TITLES.get(key, key), width=26),
    ListColumn("detail", "差异", ("detail",), sensitive=HEALTH, width=50),
    ListColumn("owner", "承办人", ("owner__name",)),
    ListColumn("found_on", "发现日期", ("found_on",), kind="date", shown=False),
    ListColumn("state", "状态", ("verdict", "gone_on"), write=state_words),
)  # fmt: skip


def load() -> None:
    """Register the list, its acts and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="比对核查",
            unit="件",
            permission=Permission.BENEFIT_VIEW,
            url_name="subsidies:difference-list",
            queryset=differences,
            table_class=DifferenceTable,
            filter_class=DifferenceFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.resident.name}　{TITLES.get(row.rule, row.rule)}",
            place_of=lambda row: row.resident.village.name,
        )
    )
    for act in (
        Act(
            KEY, "assign", "分派", Permission.BENEFIT_EDIT, apply=assign_rows, check=closed_already,
            form=AssignForm, effect="分派给同一位承办人", order=10,
        ),
        Act(
            KEY, "judge", "批量结论", Permission.BENEFIT_EDIT, apply=judge_rows,
            check=closed_already, form=JudgeManyForm, effect="写同样的核实结论和依据", order=20,
        ),
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        ),
    ):  # fmt: skip
        acts.register(act)
    todos.register(TodoSource(KEY, Permission.BENEFIT_APPLY, waiting_for, order=46))
