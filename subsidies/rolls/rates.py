"""The rate in force beside each line of a roll, in the statement that lists the lines."""

from datetime import date

from django.db.models import Case, DecimalField, Q, Value, When

from fpadmin.scoping import below
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook

AMOUNT = DecimalField(max_digits=12, decimal_places=2)


def rate_case(book: PolicyBook, day: date, village: str = "resident__village__path") -> Case:
    """book.rate() on `day` of a line's policy_code and grade at the path in `village`; None without one."""
    kinds = {(code, rate.grade) for code, one in catalogue.policies().items() for rate in one.rates}
    cases = []
    for code, grade in sorted(kinds | set(book.rates)):
        of_kind = Q(policy_code=code, grade=grade)
        for prefix in sorted(book.rates.get((code, grade), {}), key=len, reverse=True):
            amount = book.rate(code, prefix, grade, day)
            cases.append(When(of_kind & below(prefix, village), then=Value(amount)))
        shipped = book.rate(code, "", grade, day)
        cases.append(When(of_kind, then=Value(shipped)))
    return Case(*cases, default=Value(None), output_field=AMOUNT)
