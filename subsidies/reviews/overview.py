"""Which reviews a township has and lacks in a year, and what one found."""

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from fpadmin.accounts.models import Region
from subsidies.models import AnnualReview, Enrolment, ReviewFinding, ReviewLine
from subsidies.policies.book import policy_book
from subsidies.policies.catalogue import Policy, policies
from subsidies.policies.seeing import codes_for
from subsidies.reviews.line_list import OPEN, lines_url
from subsidies.reviews.roster import ROSTER


@dataclass(frozen=True)
class Row:
    """One policy of a township in a year: its review, None while there is none, and its counts."""

    policy: Policy
    region: Region
    year: int
    review: AnnualReview | None
    on_roll: int
    counts: dict[str, int]
    open: int
    due: date | None

    @property
    def roster_url(self) -> str:
        """The roster of the township for the year."""
        query = {
            "policy": self.policy.code, "year": self.year, "place": self.region.code, "kind": ROSTER,
        }  # fmt: skip
        return f"{reverse('subsidies:roster-print')}?{urlencode(query)}"

    @property
    def turnover_url(self) -> str:
        """Who entered and left in the year."""
        query = {"policy": self.policy.code, "year": self.year}
        return f"{reverse('subsidies:review-exits')}?{urlencode(query)}"

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def decided(self) -> int:
        return self.total - self.open

    @property
    def figures(self) -> list[tuple[str, int, str]]:
        """(words, number, address of its list) of each finding."""
        return [
            (
                finding.label,
                self.counts.get(finding, 0),
                lines_url(self.review, finding=finding.value),
            )
            for finding in ReviewFinding
        ]


def rows_of(user, region: Region, year: int) -> list[Row]:
    """The policies that the township has on or has a roll of, as far as the user may know of them."""
    day = date(year, 12, 31)
    book = policy_book(day)
    on_roll = dict(
        Enrolment.objects.visible_to(user)
        .within(region)
        .active_on(day)
        .order_by()
        .values_list("policy_code")
        .annotate(n=Count("pk"))
    )
    reviews = {
        one.policy_code: one
        for one in AnnualReview.objects.visible_to(user).filter(region=region, year=year)
    }
    counted = _counts(user, [one.pk for one in reviews.values()])
    on = set(book.on_codes_within(region.path))
    return [
        Row(
            policies()[code],
            region,
            year,
            reviews.get(code),
            on_roll.get(code, 0),
            *counted.get(getattr(reviews.get(code), "pk", None), ({}, 0)),
            book.due(code, region.path, year + 1),
        )
        for code in codes_for(user)
        if code in on or code in on_roll or code in reviews
    ]


def row_of(user, review: AnnualReview) -> Row:
    """One review with its counts."""
    counts, waiting = _counts(user, [review.pk]).get(review.pk, ({}, 0))
    due = policy_book(review.as_of).due(review.policy_code, review.region.path, review.year + 1)
    policy = policies()[review.policy_code]
    return Row(policy, review.region, review.year, review, 0, counts, waiting, due)


def open_lines(user) -> int:
    """Lines of open reviews that nobody has decided."""
    return (
        ReviewLine.objects.visible_to(user).filter(decision="", review__closed_at__isnull=True)
    ).count()


def not_made(user, today: date) -> int:
    """Policies whose roll of last December nobody has reviewed in the user's township, until somebody does.

    A roll that came in only this year was not there to be reviewed.
    """
    region = user.region
    if region is None or region.level != Region.Level.TOWNSHIP:
        return 0
    last = date(today.year - 1, 12, 31)
    lines = Enrolment.objects.visible_to(user).active_on(last)
    lines = lines.filter(created_at__year__lt=today.year)
    rolls = set(lines.order_by().values_list("policy_code", flat=True).distinct())
    if not rolls:
        return 0
    made = AnnualReview.objects.visible_to(user).filter(region=region, year=last.year)
    on = set(policy_book(last).on_codes_within(region.path))
    return len((rolls & on) - set(made.values_list("policy_code", flat=True)))


def open_url(review: AnnualReview) -> str:
    """The list of its lines that wait."""
    return lines_url(review, state=OPEN)


def _counts(user, reviews: list[int]) -> dict[int, tuple[dict[str, int], int]]:
    found: dict[int, tuple[dict[str, int], int]] = {}
    rows = (
        ReviewLine.objects.visible_to(user)
        .filter(review__in=reviews)
        .order_by()
        .values_list("review", "finding")
        .annotate(n=Count("pk"), waiting=Count("pk", filter=Q(decision="")))
    )
    for review, finding, n, waiting in rows:
        counts, before = found.get(review, ({}, 0))
        found[review] = counts | {finding: n}, before + waiting
    return found
