"""The list of who qualifies for a policy on a day (资格核查): page, export, and acts on many.

Who qualifies is asked for once a page; count, figures and rows then work on the keys that came back.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import django_filters
import django_tables2 as tables
from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    DateField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.dates import age_on
from fpadmin.identity import mask_id_number
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.menu import Figure
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, NameColumn, Table
from fpadmin.ui.templatetags.ui import mask_id, status_tag
from households import selectors
from households.models import Resident
from households.presenters import place_of
from subsidies.eligibility.apply_batch import apply_for, refusals
from subsidies.eligibility.finding import Found, found
from subsidies.eligibility.questions import Question, offered, question_of
from subsidies.forms.eligibility import AsOfFilter
from subsidies.models import Application, Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.services.eligibility import EVENT_TYPES

KEY = "benefit-candidates"
SENSITIVE_KEY = (
    "benefit-candidates-sensitive"  # of policies that tell of a child's death or illness
)
ON, APPLYING, OPEN, LOST = "on", "applying", "open", "lost"
OFF = "off"  # as a condition: 申请中 and 未申请 together
STATE_WORDS = {ON: "在册", APPLYING: "申请中", OPEN: "未申请", LOST: "在册，已不符合"}
STATE_TAGS = {ON: "ok", APPLYING: "run", OPEN: "wait", LOST: "warn"}
STATES = [
    (ON, "已在册"), (OFF, "未在册（待申请）"), (APPLYING, "申请中"), (LOST, "在册而不符合"),
]  # fmt: skip


def key_of(code: str) -> str:
    """Which of the two lists shows the policy's people."""
    return SENSITIVE_KEY if code in catalogue.sensitive_codes() else KEY


def candidates(asked: Asked, *, sensitive: bool) -> QuerySet:
    """Who qualifies, and who is on the roll without qualifying, of the user's region.

    `state`: ON, APPLYING, OPEN or LOST. `through_name`: by whose facts, "" where by
    one's own. None where the policy isn't the user's to know, or not of this list.
    """
    question = question_of(asked)
    people = Resident.objects.visible_to(asked.user).for_list()
    if question is None or question.policy.sensitive != sensitive:
        people, states, through = people.none(), _States(), {}
    else:
        units = found(question.code, question.day, question.path, book=question.book)
        states = _states(asked.user, question, units)
        people = people.filter(pk__in=keys_in(states.everybody))
        through = {unit.resident_id: unit.through_id for unit in units}
    return people.annotate(
        state=Case(
            When(pk__in=keys_in(states.lost), then=Value(LOST)),
            When(pk__in=keys_in(states.on), then=Value(ON)),
            When(pk__in=keys_in(states.applying), then=Value(APPLYING)),
            default=Value(OPEN),
        ),
        through_name=_names_of(through, asked.user),
        as_of=Value(question and question.day, output_field=DateField()),
        policy=Value(question.code if question else ""),
    ).order_by("village__path", "household__number", "pk")


@dataclass(frozen=True)
class _States:
    """Keys of the people of a list: everybody in it, and those who are not simply OPEN."""

    everybody: frozenset[int] = frozenset()
    on: frozenset[int] = frozenset()
    applying: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()


def _states(user, question: Question, units: list[Found]) -> _States:
    """How each unit that was found stands to the roll, and who is on the roll of none of them."""
    who = question.policy.who
    enrolments = Enrolment.objects.visible_to(user).active_on(question.day)
    enrolled = _unit_keys(who, enrolments.filter(policy_code=question.code))
    applied = _unit_keys(
        who, Application.objects.visible_to(user).open().filter(policy_code=question.code)
    )
    meeting = {unit.resident_id for unit in units}
    named = {(_KEY, unit.resident_id) for unit in units}
    if who == "family":
        named |= {(_HOME, unit.household_id) for unit in units}
    on, applying = (
        frozenset(
            unit.resident_id
            for unit in units
            if (_KEY, unit.resident_id) in keys or (_HOME, unit.household_id) in keys
        )
        for keys in (_all(enrolled), _all(applied))
    )
    # The wife may be found, and he be enrolled: then neither is lost.
    lost = frozenset(pk for pk, keys in enrolled.items() if keys.isdisjoint(named))
    return _States(frozenset(meeting | lost), on, applying, lost)


# What names a unit: the key of a person, or of a household.
_KEY, _HOME = "person", "household"


def _unit_keys(who: str, rows: QuerySet) -> dict[int, set[tuple[str, int]]]:
    """Each row's person → what names the unit: himself, of a couple the spouse, of a family the home."""
    found = {}
    values = rows.order_by().values_list("resident", "resident__spouse", "resident__household")
    for pk, spouse, household in values:
        found[pk] = {(_KEY, pk)}
        if who == "couple" and spouse:
            found[pk].add((_KEY, spouse))
        if who == "family":
            found[pk].add((_HOME, household))
    return found


def _all(keys: dict[int, set[tuple[str, int]]]) -> set[tuple[str, int]]:
    return set().union(*keys.values())


def keys_in(keys: Iterable[int]) -> RawSQL:
    """Any number of keys as one parameter, for a condition of `__in`."""
    text = ",".join(map(str, keys))
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [f"{{{text}}}"])
    return RawSQL("SELECT value FROM json_each(%s)", [f"[{text}]"])


class _LookedUp(Func):
    """The value that a JSON object, the first argument, has under a key, the second."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler, connection, **more):
        return self.as_sql(compiler, connection, template="JSON_EXTRACT(%(expressions)s)", **more)

    def as_postgresql(self, compiler, connection, **more):
        return self.as_sql(
            compiler, connection, template="(%(expressions)s)::bigint", arg_joiner="::jsonb ->> ",
            **more,
        )  # fmt: skip


def _names_of(through: dict[int, int], user):
    """The name of whoever stands for a row; "" where it is the row's own person."""
    others = {str(key): other for key, other in through.items() if key != other}
    if not others:
        return Value("")
    key = Cast(OuterRef("pk"), TextField())
    if connection.vendor == "sqlite":
        key = Concat(Value('$."'), key, Value('"'), output_field=TextField())
    table = Value(json.dumps(others), output_field=TextField())
    people = Resident.objects.visible_to(user).order_by()
    name = people.filter(pk=_LookedUp(table, key)).values("name")
    return Coalesce(Subquery(name), Value(""), output_field=CharField())


class CandidateFilter(FilterSet):
    """The policy and day are always asked for; without 状态 everybody who qualifies."""

    policy = django_filters.ChoiceFilter(
        label="政策", choices=[], method="as_it_is", empty_label=None
    )
    as_of = AsOfFilter(label="核查时点")
    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="状态", choices=STATES, method="by_state", empty_label="全部符合条件的"
    )

    def __init__(self, data, *, queryset, request):
        self.question = question_of(request)
        data = data.copy()
        if self.question:
            data["policy"] = self.question.code
            data["as_of"] = data.get("as_of") or self.question.day.isoformat()
        super().__init__(data, queryset=queryset, request=request)
        book = self.question.book if self.question else policy_book(request.day)
        self.form.fields["policy"].choices = offered(request.user, book)

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.exclude(state=LOST)

    def as_it_is(self, queryset, name, value):
        return queryset

    def by_state(self, queryset, name, value):
        if value == OFF:
            return queryset.filter(state__in=[APPLYING, OPEN])
        return queryset.filter(state=value)

    def figures(self) -> list[Figure]:
        """What the list counts in the chosen village, by state; each leads to its rows."""
        rows = self.queryset
        if self.form.is_valid() and self.form.cleaned_data["village"]:
            rows = rows.filter(village=self.form.cleaned_data["village"])
        numbers = rows.order_by().aggregate(
            all=Count("pk", filter=~Q(state=LOST)),
            on=Count("pk", filter=Q(state=ON)),
            off=Count("pk", filter=Q(state__in=[APPLYING, OPEN])),
            lost=Count("pk", filter=Q(state=LOST)),
        )
        unit = "户" if self.question and self.question.policy.who == "family" else "人"
        return [
            Figure(label, numbers[key], self._with_state(state), unit=unit, bad=bad)
            for label, key, state, bad in (
                ("符合条件", "all", "", False),
                ("已在册", "on", ON, False),
                ("未在册（待申请）", "off", OFF, False),
                ("在册而不符合", "lost", LOST, bool(numbers["lost"])),
            )
        ]

    def _with_state(self, state: str) -> str:
        kept = {name: self.data.get(name) for name in ("policy", "as_of", "village")}
        return "?" + urlencode({k: v for k, v in (kept | {"state": state}).items() if v})


def person_url(record) -> str:
    """The case of a row of the list, for its policy and day."""
    query = urlencode({"policy": record.policy, "as_of": record.as_of.isoformat()})
    return f"{reverse('subsidies:eligibility-person', args=[record.pk])}?{query}"


class CandidateTable(Table):
    """One person a row: of a couple the wife, of a family the head; the name leads to the case."""

    name = NameColumn(orderable=True, order_by=("name_initials", "name"), linkify=person_url)
    id_number = tables.Column(attrs=NOWRAP_WIDE, empty_values=())
    place = tables.Column("村组", accessor="household", attrs=NOWRAP)
    household = tables.Column(
        "户编号",
        accessor="household__number",
        linkify=lambda record: record.household.get_absolute_url(),
    )
    age = tables.Column(
        "年龄", accessor="birth_date", orderable=True, order_by="-birth_date", attrs=NUMERIC
    )
    through = tables.Column("依据谁的情况", accessor="through_name", empty_values=(None,))
    state = tables.Column("状态", accessor="state", attrs=NOWRAP)

    class Meta:
        model = Resident
        fields = (
            "name", "sex", "age", "id_number", "place", "household", "hukou", "through", "state",
        )  # fmt: skip

    def render_id_number(self, value):
        return mask_id(value)

    def render_place(self, record):
        return place_of(record.village, record.household.group)

    def render_age(self, value, record):
        return f"{age_on(value, record.as_of)}岁"

    def render_through(self, value):
        return through_words(value)

    def render_state(self, value):
        return status_tag(STATE_TAGS[value], STATE_WORDS[value])


def through_words(name: str) -> str:
    """By whose facts a row qualifies."""
    return name or "本人"


def _place(village: str, group: str | None, *_) -> str:
    return f"{village}　{group}" if group else village


def _columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("name", "姓名", ("name", "policy", "as_of"), fixed=True, sensitive=kind),
        ListColumn("sex", "性别", ("sex",), width=6),
        ListColumn(
            "age", "年龄", ("birth_date", "as_of"), kind="number", write=age_on, width=6
        ),
        ListColumn(
            "id_number", "公民身份号码", ("id_number",), kind="code", mask=mask_id_number, width=22
        ),
        ListColumn(
            "place", "村组", ("village__name", "household__group__name"), write=_place, width=18
        ),
        ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
        ListColumn("hukou", "户口性质", ("hukou",), width=10),
        ListColumn("through", "依据谁的情况", ("through_name",), write=through_words),
        ListColumn("state", "状态", ("state",), write=STATE_WORDS.get, width=14),
    )  # fmt: skip


def load() -> None:
    """Register the two lists, their acts, and what is recorded of cases. Called once, by ready()."""
    register_types(EVENT_TYPES, {})
    for key, sensitive in ((KEY, False), (SENSITIVE_KEY, True)):
        listing.register(
            ListSpec(
                key=key,
                title="资格核查",
                unit="人",
                permission=Permission.BENEFIT_VIEW,
                url_name="subsidies:eligibility-list",
                queryset=partial(candidates, sensitive=sensitive),
                table_class=CandidateTable,
                filter_class=CandidateFilter,
                columns=_columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.name,
                place_of=lambda row: f"{row.village.name}　{row.household}",
            )
        )
        acts.register(
            Act(
                key,
                "apply",
                "登记申请",
                Permission.BENEFIT_APPLY,
                apply=apply_for,
                check=refusals,
                effect="各登记一份申请（填写中），补齐后再逐份提交",
                most=200,
                order=10,
            )
        )
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
