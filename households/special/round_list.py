"""The tables of rounds and of the families on their lists; the list for files; the filter bar."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, money, status_tag
from households import selectors
from households.models import CareRound, RoundVisit
from households.special import rounds

KEY = "special-round-visits"
OWN = "own"


def all_visits(asked: Asked) -> QuerySet:
    """Families on the lists of every round, of the user's region; the newest round first."""
    visits = rounds.for_list(RoundVisit.objects.visible_to(asked.user))
    return visits.order_by("-round__starts_on", "-round", *visits.query.order_by)


class RoundVisitFilter(FilterSet):
    """Conditions on the families of one round."""

    state = django_filters.ChoiceFilter(
        label="状态",
        choices=list(rounds.STATE_WORDS.items()),
        field_name="state",
        empty_label="全部",
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="family__household__village",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        empty_label="全部",
    )
    who = django_filters.ChoiceFilter(
        label="范围", choices=[(OWN, "我联系的家庭")], method="by_who", empty_label="全部"
    )

    def by_who(self, queryset, name, value):
        return rounds.own(queryset, self.request.user)


class VisitFilter(RoundVisitFilter):
    """Conditions on the families of every round."""

    who = None
    round = NamedFilter(
        label="慰问活动",
        queryset=lambda request: CareRound.objects.visible_to(request.user),
        empty_label="全部",
    )


class RoundTable(Table):
    """One round a row, with what the user sees of it."""

    name = NameColumn(linkify=True)
    days = tables.Column("起止", accessor="starts_on", orderable=True, attrs=NOWRAP)
    gift = tables.Column(attrs=WIDE)
    amount = tables.Column(attrs=NUMERIC)
    progress = tables.Column("已慰问", accessor="done", attrs=NUMERIC)
    state = tables.Column("状态", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = CareRound
        fields = ("name", "days", "gift", "amount", "progress", "state")

    def render_days(self, record):
        return f"{record.starts_on}至{record.due_on}"

    def render_amount(self, value):
        return money(value)

    def render_progress(self, record):
        return f"{record.done}/{record.whole}"

    def render_state(self, record):
        return status_tag(*rounds.round_tag(record, dates.today()))


class RoundVisitTable(Table):
    """One family of a round a row, with what the user may do about it."""

    parents = NameColumn("家庭", accessor="parent_names", empty_values=())
    village = tables.Column("村（社区）", accessor="family__household__village__name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="family__household__number")
    visitor = tables.Column("慰问人", accessor="contact__person__name", attrs=NOWRAP)
    state = tables.Column("状态", attrs=NOWRAP)
    happened_on = DayColumn("慰问日期", accessor="record__happened_on")
    signed_by = tables.Column("签收人")
    note = tables.Column("情况", empty_values=(), attrs=WIDE)
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP_WIDE)

    class Meta:
        model = RoundVisit
        fields = (
            "parents", "village", "household", "visitor", "state", "happened_on", "signed_by", "note",
            "acts",
        )  # fmt: skip

    def render_parents(self, record):
        return format_html('<a href="{}">{}</a>', record.family.get_absolute_url(), called(record))

    def render_state(self, value):
        return status_tag(rounds.STATE_TAGS[value], rounds.STATE_WORDS[value])

    def render_note(self, record):
        return record.left_out or record.note or NOTHING

    def render_acts(self, record):
        acts = format_html_join(
            "",
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="{}：{}">{}</a>',
            ((url, word, called(record), word) for word, url in acts_on(record, self.request.user)),
        )
        return format_html('<span class="fp-row">{}</span>', acts) if acts else NOTHING


class VisitTable(RoundVisitTable):
    """The same over every round."""

    round = tables.Column(attrs=NOWRAP, linkify=True)
    gift = tables.Column("慰问品", accessor="round__gift")
    amount = tables.Column("慰问金（元）", accessor="round__amount", attrs=NUMERIC)

    class Meta:
        model = RoundVisit
        fields = (
            "parents", "round", "village", "household", "gift", "amount", "visitor", "state",
            "happened_on", "signed_by", "note", "acts",
        )  # fmt: skip
        sequence = fields

    def render_amount(self, value):
        return money(value)


def called(visit: RoundVisit) -> str:
    """The family by its parents' names, else by its number."""
    return visit.parent_names or str(visit.family.household)


def acts_on(visit: RoundVisit, user) -> list[tuple[str, str]]:
    """Word and address of what `user` may do about a for_list() visit."""
    may_edit = user.may(Permission.SPECIAL_EDIT)
    names = {
        rounds.OPEN: [
            ("登记", "tick"),
            ("签收单", "receipt"),  # signed on the visit, so carried along
            *([("不慰问", "leave-out")] if may_edit else []),
        ],
        rounds.VISITED: [("签收单", "receipt"), ("撤回", "untick")],
        rounds.LEFT_OUT: [("重新列入", "take-in")] if may_edit else [],
    }
    if not user.may(Permission.SPECIAL_RECORD):
        return []
    return [
        (word, reverse(f"households:special-visit-{act}", args=[visit.pk]))
        for word, act in names[visit.state]
    ]


COLUMNS = (
    # Who stands in this list has lost a child or has a disabled one: every file of it tells health.
    ListColumn(
        "parents", "家庭",
        ("parent_names", "state", "family__household__village__name", "family__household__number"),
        fixed=True, width=18, sensitive=HEALTH, write=lambda names, *_: names,
    ),
    ListColumn("round", "慰问活动", ("round__name",), width=18),
    ListColumn("village", "村（社区）", ("family__household__village__name",), width=16),
    ListColumn(
        "household", "户编号", ("family__household__number",), kind="code", width=10, shown=False
    ),
    ListColumn("gift", "慰问品", ("round__gift",), width=20, shown=False),
    ListColumn("amount", "慰问金（元）", ("round__amount",), kind="number"),
    ListColumn("visitor", "慰问人", ("contact__person__name",)),
    ListColumn("state", "状态", ("state",), write=rounds.STATE_WORDS.get, width=10),
    ListColumn("happened_on", "慰问日期", ("record__happened_on",), kind="date"),
    ListColumn("signed_by", "签收人", ("signed_by",)),
    ListColumn(
        "note", "情况", ("left_out", "note"), width=30, write=lambda out, note: out or note
    ),
    ListColumn("acts", "操作", (), fixed=True, in_file=False),
)  # fmt: skip


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="慰问名单",
            unit="户",
            permission=Permission.SPECIAL_LIST,
            url_name="households:special-visit-list",
            queryset=all_visits,
            table_class=VisitTable,
            filter_class=VisitFilter,
            columns=COLUMNS,
            name_of=called,
            place_of=lambda visit: visit.family.household.village.name,
        )
    )
