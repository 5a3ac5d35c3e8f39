"""漏: who qualifies and stands on no roll; and 低保 households that ours doesn't have as such."""

from collections.abc import Iterator
from dataclasses import replace

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from fpadmin.scoping import below
from households.models import Resident
from subsidies.comparison import wrong
from subsidies.comparison.ground import Finding, Ground, asks, latest
from subsidies.conflicts import paid_ever
from subsidies.eligibility.finding import found_ids
from subsidies.eligibility.months import usual_day
from subsidies.models import Application, Enrolment, ExitReason, RosterEntry, RosterSource
from subsidies.policies import catalogue
from subsidies.policies.book import Part

_PAIRED = ("初婚", "再婚", "复婚", "丧偶")


def not_enrolled(ground: Ground) -> Iterator[Finding]:
    """Whoever the rule finds without a line, an open application or a waiver; attested facts aside."""
    for code, part in _switched_on(ground):
        day = usual_day(code, ground.today)
        version = part.rule.version.pk if part.rule.version else 0
        ids = found_ids(code, day, part.prefix, rule=part.rule)
        people = _without_line(ground, code, _of_part(Resident.objects.filter(pk__in=ids), part))
        said = f"按{day}核查符合条件，没有在册，也没有办理中的申请"
        for resident in people.values_list("pk", flat=True):
            yield Finding(f"{resident}-{code}", f"{version}", resident, said, code)


def low_income_unknown(ground: Ground) -> Iterator[Finding]:
    """On the civil affairs' list, and meeting all that a 低保 policy asks but 低保 by our own record."""
    source = RosterSource.LOW_INCOME
    if not RosterEntry.objects.filter(source=source).exists():
        return
    listed = latest(
        RosterEntry.objects.filter(source=source, resident__departed_on__isnull=True).order_by(),
        source,
    ).exclude(wrong.ENDED)
    last = listed.filter(resident__household=OuterRef("household")).order_by(
        F("event_date").desc(nulls_last=True), "-pk"
    )
    for code, part in _switched_on(ground, asks("dibao")):
        day = usual_day(code, ground.today)
        rule = replace(
            part.rule, criteria=tuple(one for one in part.rule.criteria if one.key != "dibao")
        )
        ids = found_ids(code, day, part.prefix, rule=rule)
        people = _of_part(Resident.objects.filter(pk__in=ids), part).filter(
            ~Exists(wrong.low_income_households(day).filter(household=OuterRef("household"))),
            Exists(last),
        )
        rows = _without_line(ground, code, people).annotate(
            entry=Subquery(last.values("pk")[:1]), since=Subquery(last.values("event_date")[:1])
        )
        for resident, entry, since in rows.values_list("pk", "entry", "since"):
            yield Finding(
                f"{resident}-{code}", f"{since or ''}", resident,
                f"民政低保名单{f'{since}起' if since else ''}有本户的人，我方没有低保记录",
                code, entry=entry,
            )  # fmt: skip


def _switched_on(ground: Ground, test=lambda rule: True) -> Iterator[tuple[str, Part]]:
    """Parts of the place where a policy takes people in, and records alone tell who qualifies."""
    for code, part in ground.parts():
        rule = part.rule
        if rule.is_on and not rule.policy.closed and not asks("attested")(rule) and test(rule):
            yield code, part


def _of_part(people: QuerySet[Resident], part: Part) -> QuerySet[Resident]:
    """Those of the part alone: a deeper place with a rule of its own is another."""
    for deeper in part.without:
        people = people.exclude(below(deeper, "village__path"))
    return people.filter(below(part.prefix, "village__path")).order_by()


def _without_line(ground: Ground, code: str, people: QuerySet[Resident]) -> QuerySet[Resident]:
    """Without those who have a line or open application, in person, couple or household; or who waived.

    What is paid once is had for good, and who is to move over from another policy isn't missing.
    """
    policy = catalogue.policy(code)
    has = ground.on_roll() if policy.cycle != "once" else paid_ever()
    before = [one for one, known in catalogue.policies().items() if known.moves_to == code]
    lines = Enrolment.objects.filter(
        Q(policy_code=code) & (has | Q(end_reason=ExitReason.WAIVED))
        | Q(policy_code__in=before) & ground.on_roll()
    )
    for rows in (lines, Application.objects.open().filter(policy_code=code)):
        rows = rows.order_by()
        people = people.filter(~Exists(rows.filter(resident=OuterRef("pk"))))
        if policy.who in ("couple", "family"):
            people = people.filter(
                ~Exists(rows.filter(resident=OuterRef("spouse"))) | ~Q(marital__in=_PAIRED)
            )
        if policy.who == "family":
            people = people.filter(
                ~Exists(
                    rows.filter(
                        resident__household=OuterRef("household"),
                        resident__merged_into__isnull=True,
                    )
                )
            )
    return people
