"""The figures above and below the matrix: of all that the user may see, as the indicators count them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import ExtractMonth

from fpadmin.reporting.registry import Span
from households.counting import gathered
from households.models import NursingInsurance, Purpose, SpecialFamily
from households.special import counted, due
from households.special.family_months import number_done, number_due
from households.special.rules import rule_book

FESTIVALS = ("元旦", "春节", "元宵", "清明", "端午", "中秋", "国庆", "重阳")  # as rounds are named
# Which festival a visit outside any round belongs to, by month; the lunar days move within these.
SEASONS = {1: "春节", 2: "春节", 3: "春节", 5: "端午", 6: "端午", 8: "中秋", 9: "中秋", 10: "中秋"}


@dataclass(frozen=True)
class Coverage:
    """A share of a known whole, as the bar shows it."""

    label: str
    done: int
    whole: int
    unit: str

    @property
    def percent(self) -> float | None:
        return _rate(self.done, self.whole)

    @property
    def gap(self) -> str:
        """差2人, "" where nobody is left out."""
        return f"差{self.whole - self.done}{self.unit}" if self.done < self.whole else ""


@dataclass(frozen=True)
class Figures:
    """The year in figures: families on its last day or today, months finished, visits until today."""

    families: int
    death: int
    disability: int
    complication: int
    enough_contacts: int
    cards: int
    kinds_missing: int
    months: str  # 1–9月, "" while none is over
    months_due: int
    months_done: int
    visits: int
    festivals: list[tuple[str, int]]
    care: list[Coverage]

    @property
    def contact_rate(self) -> float | None:
        return _rate(self.months_done, self.months_due)

    @property
    def contacts_rate(self) -> float | None:
        return _rate(self.enough_contacts, self.families)

    @property
    def cards_rate(self) -> float | None:
        return _rate(self.cards, self.families)

    @property
    def months_words(self) -> str:
        return f"{self.months_done}/{self.months_due}"

    @property
    def contacts_words(self) -> str:
        return f"{self.enough_contacts}/{self.families}"

    @property
    def cards_words(self) -> str:
        return f"{self.cards}/{self.families}"


def figures(user, year: int, day: date) -> Figures:
    """Of all that the user may see; the records and conditions are those of the indicators."""
    span = Span(date(year, 1, 1), min(date(year, 12, 31), day))
    seen = SpecialFamily.objects.visible_to(user).order_by().values("pk")
    conditions = counted.of_the_families(span.as_of, rule_book(span.as_of), gathered([user.region]))
    codes = (
        "special_families_death", "special_families_disability", "special_families_complication",
        "special_contacts_done", "special_medical_cards_done",
    )  # fmt: skip
    there = counted.families_on(span.as_of).filter(pk__in=seen)
    numbers = there.aggregate(
        families=Count("pk"),
        insured=Count("pk", filter=Exists(_insurance(span.as_of))),
        **{code: Count("pk", filter=conditions[code]) for code in codes},
    )
    finished = due.finished_months(year, day)
    months = {"due": 0, "done": 0}
    if finished:
        over = Span(span.start, finished[-1][1])
        months = SpecialFamily.objects.filter(pk__in=seen).aggregate(
            due=Sum(number_due(over), default=0), done=Sum(number_done(over), default=0)
        )
    visits = counted.visits_in(span).filter(contact__family__in=seen)
    return Figures(
        numbers["families"],
        *(numbers[code] for code in codes),
        there.filter(conditions["special_contact_kinds_missing"]).count(),
        f"1–{len(finished)}月" if len(finished) > 1 else "1月" if finished else "",
        months["due"],
        months["done"],
        visits.count(),
        _festivals(visits),
        _care(span.as_of, seen, numbers),
    )


def _rate(done: int, of: int) -> float | None:
    return done / of * 100 if of else None


def _festivals(visits: QuerySet) -> list[tuple[str, int]]:
    """Visits at festivals by round; one outside any round belongs to the festival of its season."""
    found: dict[str, int] = {}
    of_rounds = visits.filter(purpose=Purpose.FESTIVAL).annotate(month=ExtractMonth("happened_on"))
    for name, month, number in (
        of_rounds.values("round_visit__round__name", "month")
        .annotate(number=Count("pk"))
        .order_by("month")
        .values_list("round_visit__round__name", "month", "number")
    ):
        called = next((word for word in FESTIVALS if word in name), name) if name else ""
        festival = called or SEASONS.get(month, "其他节日")
        found[festival] = found.get(festival, 0) + number
    return list(found.items())


def _care(day: date, seen: QuerySet, numbers: dict) -> list[Coverage]:
    conditions = counted.of_the_parents(day)
    parents = counted.parents_on(day).filter(family__in=seen)
    signed, checked = "special_doctors_done", "special_checkups_done"
    found = parents.aggregate(
        parents=Count("pk"), **{c: Count("pk", filter=conditions[c]) for c in (signed, checked)}
    )
    return [
        Coverage("家庭医生签约（父母）", found[signed], found["parents"], "人"),
        Coverage("本年健康体检（父母）", found[checked], found["parents"], "人"),
        Coverage("住院护理保险", numbers["insured"], numbers["families"], "户"),
    ]


def _insurance(day: date) -> QuerySet:
    """Insurance in force; an unknown day counts as always."""
    return NursingInsurance.objects.filter(
        Q(starts_on__isnull=True) | Q(starts_on__lte=day),
        Q(ends_on__isnull=True) | Q(ends_on__gte=day),
        family=OuterRef("pk"),
    )
