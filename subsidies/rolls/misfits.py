"""Lines of a roll that the registry speaks against: the person is dead or gone, or no longer qualifies.

Found by question, whenever somebody asks: what is registered in the households counts at once. Nothing is
ended by itself.
"""

from collections.abc import Callable, Iterable
from datetime import date

from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from fpadmin.scoping import below
from subsidies.eligibility.finding import found_sql
from subsidies.eligibility.predicates import Sql
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule
from subsidies.rolls.ends import last_of_benefit_year, next_month
from subsidies.rolls.states import change_waiting

DEAD, GONE, UNFIT = "dead", "gone", "unfit"
WORDS = {DEAD: "已死亡，还在册", GONE: "已迁出，还在册", UNFIT: "按登记资料不再符合条件"}
VILLAGE = "resident__village__path"


def lines(kind: str, day: date, path: str, book: PolicyBook, codes: Iterable[str]) -> Q:
    """Lines under the region's path of this kind, that nothing has been proposed about."""
    if kind == DEAD:
        wrong = beyond_death(book)
    elif kind == GONE:
        wrong = Q(resident__departed_on__lte=day, resident__death_date__isnull=True)
        wrong &= Q(end_month__isnull=True)
    else:
        wrong = _unfit(day, path, book, codes)
    return Q(~change_waiting(), wrong)


def beyond_death(book: PolicyBook) -> Q:
    """Lines of the dead that go on, or end only after the last month that the death leaves."""
    longer = _by_rule(book, _outlives)
    return Q(resident__death_date__isnull=False) & (Q(end_month__isnull=True) | longer)


def paid_beyond_death(book: PolicyBook, day: date) -> Q:
    """Those of them that have been paid beyond that month by `day`, or will be."""
    return Q(resident__death_date__isnull=False) & (
        Q(_by_rule(book, _outlives), end_month__isnull=False)
        | Q(_by_rule(book, lambda rule: _died_before(rule, day)), end_month__isnull=True)
    )


def _by_rule(book: PolicyBook, condition: Callable[[Rule], Q]) -> Q:
    """The condition of each policy's rule on the lines that the rule is for."""
    found = Q(pk__in=[])
    for code in catalogue.policies():
        for part in book.parts(code, ""):
            here = Q(policy_code=code)
            here &= below(part.prefix, VILLAGE) if part.prefix else Q()
            for other in part.without:
                here &= ~below(other, VILLAGE)
            found |= here & condition(part.rule)
    return found


def _died_before(rule: Rule, day: date) -> Q:
    """The death left no month as late as that of `day`."""
    if rule.ends == "through the month":
        return Q(resident__death_date__lt=day.replace(day=1))
    first = next_month(last_of_benefit_year(rule, day))
    return Q(resident__death_date__lt=first.replace(year=first.year - 1))


def _outlives(rule: Rule) -> Q:
    """By the rule, the end lies after the month of the death, or after its benefit year."""
    if rule.ends == "through the month":
        return Q(end_month__gt=F("resident__death_date"))  # the first of a month against its days
    begins = rule.policy.year_from_month
    later = Q(end_month__year__gt=F("resident__death_date__year"))
    if begins == 1:
        return later
    ends_late, died_late = (
        Q(end_month__month__gte=begins),
        Q(resident__death_date__month__gte=begins),
    )
    same = Q(end_month__year=F("resident__death_date__year"))
    following = Q(end_month__year=F("resident__death_date__year") + 1)
    return (later & ~(following & ~ends_late & died_late)) | (same & ends_late & ~died_late)


def _unfit(day: date, path: str, book: PolicyBook, codes: Iterable[str]) -> Q:
    """Active lines whose unit the rule no longer finds; the dead and the gone have their own kinds."""
    wrong = Q(pk__in=[])
    for code in codes:
        column = (
            "household_id" if catalogue.policy(code).who in ("couple", "family") else "resident_id"
        )
        query = found_sql(code, day, path, book=book, among=_on_the_roll(code, column))
        units = RawSQL(f"SELECT found.{column} FROM ({query.text}) found", query.params)
        way = "resident__household__in" if column == "household_id" else "resident__in"
        wrong |= Q(policy_code=code) & ~Q(**{way: units})
    month = day.replace(day=1)
    return (
        wrong
        & Q(start_month__lte=month, end_month__isnull=True)
        & Q(resident__death_date__isnull=True)
        & (Q(resident__departed_on__isnull=True) | Q(resident__departed_on__gt=day))
    )


def _on_the_roll(code: str, column: str) -> Sql:
    """Spells of the people, or households, that have an open line: nobody else is asked about."""
    return Sql(
        f"s.{column} IN (SELECT {'r.id' if column == 'resident_id' else 'r.household_id'}"
        " FROM subsidies_enrolment e JOIN households_resident r ON r.id = e.resident_id"
        " WHERE e.policy_code = %s AND e.end_month IS NULL)",
        (code,),
    )


def codes_drawn(user, day: date, codes: Iterable[str]) -> list[str]:
    """Those of the policies on whose rolls somebody stands now: the others need no question."""
    drawn = Enrolment.objects.visible_to(user).active_on(day).filter(end_month__isnull=True)
    known = set(drawn.order_by().values_list("policy_code", flat=True).distinct())
    return [code for code in codes if code in known]
