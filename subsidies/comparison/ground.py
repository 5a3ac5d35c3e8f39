"""What a comparison stands on: the place, the day, the policies; and what every rule asks of the rolls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from fpadmin.scoping import below
from subsidies.models import Enrolment, RosterEntry
from subsidies.policies import catalogue
from subsidies.policies.book import Part, PolicyBook, Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference as a rule yields it.

    `about` says whom and which lines it is about; `facts` what differs. Both make its key: with
    other facts it is another difference, of which nobody has judged.
    """

    about: str
    facts: str
    resident: int
    detail: str
    policy_code: str = ""
    enrolment: int | None = None
    other: int | None = None
    entry: int | None = None


@dataclass(frozen=True)
class Ground:
    """The place and day of one comparison, with the policies in force."""

    path: str
    today: date
    book: PolicyBook
    rules: dict[tuple[str, str], Rule] = field(default_factory=dict)

    @property
    def month(self) -> date:
        """The month of the day, as months are kept."""
        return self.today.replace(day=1)

    def rule(self, code: str, path: str) -> Rule:
        """The policy's rule where somebody lives."""
        if (code, path) not in self.rules:
            self.rules[code, path] = self.book.rule(code, path)
        return self.rules[code, path]

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every policy with the parts of the place that share a rule."""
        for code in catalogue.policies():
            for part in self.book.parts(code, self.path):
                yield code, part

    def codes(self, test: Callable[[Rule], bool]) -> list[str]:
        """The policies of whose rule somewhere in the place `test` holds."""
        return list(dict.fromkeys(code for code, part in self.parts() if test(part.rule)))

    def on_roll(self, prefix: str = "") -> Q:
        """Lines that still run or are yet to: not ended before this month, and not before they began."""
        end, start = f"{prefix}end_month", f"{prefix}start_month"
        lasting = Q(**{f"{end}__isnull": True}) | (
            Q(**{f"{end}__gte": self.month}) & Q(**{f"{end}__gte": F(start)})
        )
        return lasting & Q(**{f"{prefix}pk__isnull": False})

    def rolls(self) -> QuerySet[Enrolment]:
        """The lines of the place that still run, in no order."""
        return Enrolment.objects.filter(
            below(self.path, "resident__village__path"), self.on_roll()
        ).order_by()

    def listed(self, source: str, *wanted: Q, through: str = "resident") -> QuerySet[RosterEntry]:
        """Entries of `source` joined with running lines of the place: of the person, or of `through`.

        `wanted` are further conditions on the joined line; a row for each entry and line.
        """
        lines = f"{through}__enrolments__"
        return RosterEntry.objects.filter(
            below(self.path, f"{through}__village__path"),
            self.on_roll(lines),
            *wanted,
            source=source,
        ).order_by()


def latest(entries: QuerySet[RosterEntry], source: str, *about: Q) -> QuerySet[RosterEntry]:
    """Without entries that a later one of the same person supersedes; an undated one is the oldest.

    `about` narrows which entries supersede, as the caller narrowed `entries`.
    """
    others = RosterEntry.objects.filter(*about, source=source, resident=OuterRef("resident"))
    later = Q(event_date__gt=OuterRef("event_date"))
    same_day = Q(event_date=OuterRef("event_date"), pk__gt=OuterRef("pk"))
    undated = Q(event_date__isnull=False) | Q(pk__gt=OuterRef("pk"))
    return entries.filter(
        Q(event_date__isnull=False) & ~Exists(others.filter(later | same_day))
        | Q(event_date__isnull=True) & ~Exists(others.filter(undated))
    )


def asks(key: str) -> Callable[[Rule], bool]:
    """Test of a rule: whether it has a criterion of that kind."""
    return lambda rule: any(one.key == key for one in rule.criteria)


def asked(rule: Rule, key: str):
    """What a rule asks by that criterion; None where it has none."""
    return next((one.params for one in rule.criteria if one.key == key), None)
