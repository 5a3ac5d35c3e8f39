"""Facts of a person on a day, as SQL, and the criteria that find special families.

The criteria are those of CN-SPECIAL-DEATH and CN-SPECIAL-DISABLED (财社〔2022〕49号): registered here,
born from 1933, one child ever, and that child dead or certified disabled; with the office's archive age
in place of the wife's 49 years. A child counts once born by the day, own or adopted.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from fpadmin.dates import age_on, years_before
from households.models import (
    ChildRecord,
    DisabilityGrade,
    FamilyKind,
    Marital,
    Residence,
    Residency,
    Sex,
    living,
)
from households.special.rules import RuleBook, rule_book

BORN_FROM = date(1933, 1, 1)
MARRIED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED)
GRADES = (DisabilityGrade.FIRST, DisabilityGrade.SECOND, DisabilityGrade.THIRD)


def disabled(day: date) -> Q:
    """Children certified by `day` with 一级 to 三级; an unknown day of certification counts as always."""
    certified = Q(disability_date__isnull=True) | Q(disability_date__lte=day)
    return Q(disability_grade__in=GRADES) & certified


def concerned(day: date) -> QuerySet:
    """Children whose parents may have a special family: dead by `day`, or disabled."""
    return ChildRecord.objects.filter(Q(death_date__lte=day) | disabled(day))


def with_facts(spells: QuerySet, day: date) -> QuerySet:
    """Spells with what the criteria look at, of their person on `day`.

    children_ever, children_living, children_disabled (living ones), wife_birth_date: the wife's where a
    spouse is living, registered here and still married, else one's own.
    """
    counts = {}
    for name, condition in (
        ("children_ever", Q()),
        ("children_living", living(day)),
        ("children_disabled", living(day) & disabled(day)),
    ):
        counts[name] = sum(
            (_number_of_children(day, condition, parent) for parent in ("mother", "father")),
            start=Value(0),
        )
    own = F("resident__birth_date")
    # Looked up person by person: joined, everybody's spouse would be read for the few found.
    wife = (
        Residency.objects.living_on(day)
        .filter(resident=OuterRef("resident__spouse"), resident__sex=Sex.FEMALE)
        .order_by()
    )
    return spells.annotate(
        **counts,
        wife_birth_date=Case(
            When(
                resident__sex=Sex.MALE,
                resident__marital__in=MARRIED,
                then=Coalesce(Subquery(wife.values("resident__birth_date")[:1]), own),
            ),
            default=own,
            output_field=DateField(),
        ),
    )


def found(
    day: date, book: RuleBook | None = None, people: Collection[int] | None = None
) -> QuerySet:
    """Spells in force on `day` of every parent who meets the criteria, with `found_kind`.

    A household of these should have an archive. Set-based: one statement for any number of villages.
    `people`, where somebody knows them, are the parents of concerned() children to look at.
    """
    book = book or rule_book(day)
    if people is None:
        children = concerned(day).order_by()
        people = children.values("mother").union(children.values("father"))
    spells = Residency.objects.living_on(day).filter(
        resident__in=people,
        residence__in=[Residence.PERMANENT, Residence.OUTFLOW],
        resident__birth_date__gte=BORN_FROM,
    )
    old_enough = ExpressionWrapper(
        Q(wife_birth_date__lte=_born_by(day, book)), output_field=BooleanField()
    )
    return (
        with_facts(spells, day)
        .filter(old_enough, children_ever=1)
        .filter(Q(children_living=0) | Q(children_living=1, children_disabled=1))
        .annotate(
            found_kind=Case(
                When(children_living=0, then=Value(FamilyKind.DEATH.value)),
                default=Value(FamilyKind.DISABILITY.value),
            )
        )
    )


@dataclass(frozen=True)
class Criterion:
    """One criterion of one person's case: whether it holds, and the value it looked at.

    Those of the children are told apart from those of the person.
    """

    text: str
    holds: bool
    value: str
    of_children: bool = False


def explain(spell: Residency, day: date, book: RuleBook) -> list[Criterion]:
    """Why the person of a with_facts() spell is found or not, criterion by criterion."""
    age = book.of(spell.village.path).archive_age
    wife_age = age_on(spell.wife_birth_date, day)
    ever, alive, with_grade = spell.children_ever, spell.children_living, spell.children_disabled
    return [
        Criterion(
            "户籍在本地（常住或流出）",
            spell.residence in (Residence.PERMANENT, Residence.OUTFLOW),
            spell.residence,
        ),
        Criterion(
            "1933年1月1日以后出生",
            spell.resident.birth_date >= BORN_FROM,
            f"{spell.resident.birth_date:%Y-%m-%d}出生",
        ),
        Criterion(f"女方（单亲为本人）年满{age}周岁", wife_age >= age, f"{wife_age}周岁"),
        Criterion("只生育或合法收养过一个子女", ever == 1, f"生育史中有{ever}个子女", True),
        Criterion(
            "子女已死亡，或经鉴定为三级以上伤残",
            alive == 0 or (alive == 1 and with_grade == 1),
            f"存活{alive}个，其中三级以上伤残{with_grade}个",
            True,
        ),
    ]


def _number_of_children(day: date, condition: Q, parent: str):
    children = ChildRecord.objects.filter(
        condition, birth_date__lte=day, **{parent: OuterRef("resident")}
    )
    counted = children.order_by().values(parent).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _born_by(day: date, book: RuleBook):
    """The latest birth date that completes the archive age of the person's place."""
    return book.case(lambda rule: years_before(day, rule.archive_age), "village__path", DateField())
