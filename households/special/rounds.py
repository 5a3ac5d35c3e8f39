"""Rounds of visits (节日慰问) as pages, paper and files read them: who is visited, by whom, how far it is."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from households.models import CareRound, ContactKind, FamilyContact, RoundVisit, SpecialFamily
from households.special.archive_list import parent_names

SPRING, OTHER = "春节", "其他"
FESTIVALS = (SPRING, "端午节", "中秋节", "重阳节", OTHER)
OPEN, VISITED, LEFT_OUT = "open", "visited", "left"
STATE_WORDS = {OPEN: "未慰问", VISITED: "已慰问", LEFT_OUT: "不慰问"}
STATE_TAGS = {OPEN: "wait", VISITED: "ok", LEFT_OUT: "off"}
WARN_DAYS = 7
# Who goes where nobody says otherwise: whoever is nearest to the family.
NEAREST_FIRST = (
    ContactKind.VILLAGE,
    ContactKind.WORKER,
    ContactKind.LEADER,
    ContactKind.VOLUNTEER,
    ContactKind.DOCTOR,
)


_SHOWN = (
    "round__region",
    "family__household__village",
    "family__household__group",
    "contact__person",
    "record",
)


@dataclass(frozen=True)
class Progress:
    """How far a round, or one village of it, is. Who is left out counts nowhere but in `left_out`."""

    whole: int
    done: int
    left_out: int = 0
    amount: Decimal | None = None
    label: str = ""
    url: str = ""

    @property
    def open(self) -> int:
        """Families still to visit."""
        return self.whole - self.done

    @property
    def percent(self) -> float | None:
        """The share visited; None where nobody is to be."""
        return self.done * 100 / self.whole if self.whole else None

    @property
    def gap(self) -> str:
        """What is missing, in words."""
        return f"差{self.open}户" if self.open else ""

    @property
    def planned_money(self) -> Decimal | None:
        """What the whole round hands out; None where it hands out none."""
        return None if self.amount is None else self.amount * self.whole

    @property
    def paid_money(self) -> Decimal | None:
        """What was handed out."""
        return None if self.amount is None else self.amount * self.done


def name_of(festival: str, words: str, starts_on: date) -> str:
    """2018年中秋节慰问. A 春节 that is begun at the end of a year is the next year's."""
    year = starts_on.year + (festival == SPRING and starts_on.month >= 11)
    occasion = words if festival == OTHER else festival
    return f"{year}年{occasion}{'' if occasion.endswith('慰问') else '慰问'}"


def words_of(care_round: CareRound, note: str) -> str:
    """What was brought, as the log of contacts tells it."""
    return "。".join(filter(None, [f"{care_round.name}：{brought(care_round)}", note]))


def brought(care_round: CareRound) -> str:
    """月饼一盒，慰问金500.00元"""
    money = "" if care_round.amount is None else f"慰问金{care_round.amount:,.2f}元"
    return "，".join(filter(None, [care_round.gift, money]))


def proposed_visitors(families: Collection[int]) -> dict[int, FamilyContact]:
    """{archive: who goes}: of its current contacts the nearest, see NEAREST_FIRST, and longest in term."""
    rank = Case(
        *(When(person__kind=kind, then=Value(n)) for n, kind in enumerate(NEAREST_FIRST)),
        default=Value(len(NEAREST_FIRST)),
        output_field=IntegerField(),
    )
    terms = (
        FamilyContact.objects.filter(
            family__in=families, ended_on__isnull=True, person__left_on__isnull=True
        )
        .select_related("person")
        .order_by(rank.desc(), "-started_on", "-pk")
    )
    return {term.family_id: term for term in terms}


def with_progress(care_rounds: QuerySet, user) -> QuerySet:
    """Rounds with `whole`, `done` and `left`, of the families that the user sees."""
    visits = RoundVisit.objects.visible_to(user).filter(round=OuterRef("pk")).order_by()
    return care_rounds.annotate(
        whole=_count(visits.filter(left_out="")),
        done=_count(visits.visited()),
        left=_count(visits.exclude(left_out="")),
    )


def _count(visits: QuerySet) -> Coalesce:
    counted = visits.values("round").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def progress_of(visits: QuerySet, amount: Decimal | None) -> Progress:
    """Of all these visits together."""
    return Progress(
        **visits.order_by().aggregate(
            whole=Count("pk", filter=Q(left_out="")),
            done=Count("pk", filter=Q(record__isnull=False)),
            left_out=Count("pk", filter=~Q(left_out="")),
        ),
        amount=amount,
    )


def by_village(visits: QuerySet, amount: Decimal | None) -> list[Progress]:
    """A line for each village with somebody to visit, in the order of their codes."""
    place = "family__household__village"
    rows = (
        visits.filter(left_out="")
        .order_by()
        .values(place, label=F(f"{place}__name"))
        .annotate(
            at=Min(f"{place}__path"),
            whole=Count("pk"),
            done=Count("pk", filter=Q(record__isnull=False)),
        )
        .order_by("at")
    )
    return [
        Progress(
            row["whole"],
            row["done"],
            amount=amount,
            label=row["label"],
            url=f"?village={row[place]}",
        )
        for row in rows
    ]


def for_list(visits: QuerySet) -> QuerySet:
    """With the parents' names and `state`, and what a row shows; in the order of the places."""
    return (
        visits.annotate(
            parent_names=parent_names("family"),
            state=Case(
                When(record__isnull=False, then=Value(VISITED)),
                When(left_out="", then=Value(OPEN)),
                default=Value(LEFT_OUT),
                output_field=CharField(),
            ),
        )
        .select_related(*_SHOWN)
        .order_by("family__household__village__path", "family__household__number", "pk")
    )


def waiting(user, day: date) -> QuerySet:
    """Families that the user sees, still to visit in a round that has begun."""
    return RoundVisit.objects.visible_to(user).to_visit().filter(round__starts_on__lte=day)


def own(visits: QuerySet, user) -> QuerySet:
    """Of families whose current contact the user is."""
    terms = FamilyContact.objects.filter(
        family=OuterRef("family"), person__user=user, ended_on__isnull=True
    )
    return visits.filter(Exists(terms))


def who_may_have_gone(visit: RoundVisit, today: date) -> QuerySet:
    """Contacts of the family in term on some day from the round's first to today, current ones first."""
    return (
        visit.family.contacts.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gte=min(visit.round.starts_on, today)),
            started_on__lte=today,
        )
        .select_related("person")
        .order_by(F("ended_on").desc(nulls_first=True), "started_on", "pk")
    )


def due_words(due_on: date, day: date) -> tuple[str, str]:
    """Kind and word of the tag of a round that is not finished on `day`."""
    left = (due_on - day).days
    if left < 0:
        return "bad", f"逾期{-left}天"
    if left == 0:
        return "warn", "今天到期"
    return ("warn", f"还有{left}天") if left <= WARN_DAYS else ("wait", "进行中")


def round_tag(care_round: CareRound, day: date) -> tuple[str, str]:
    """Kind and word of the state of a with_progress() round."""
    if care_round.done == care_round.whole:
        return "ok", "已完成"
    if care_round.starts_on > day:
        return "wait", "未开始"
    return due_words(care_round.due_on, day)


def of_family(family: SpecialFamily) -> QuerySet:
    """The family's visits of every round, the newest first."""
    return for_list(family.round_visits.all()).order_by("-round__starts_on", "-pk")
