"""重: what one person, couple, household or account draws twice."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from django.db.models import Count, Exists, F, OuterRef, Q

from fpadmin.scoping import below
from households.models import Duplicate, Resident
from subsidies.comparison.ground import Finding, Ground
from subsidies.comparison.wrong import MARRIED
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.rolls.ends import month_words

OWN, SPOUSE, HOME = "resident", "resident__spouse", "resident__household__members"
_WHOSE = {OWN: "本人", SPOUSE: "配偶", HOME: "同户的人"}
_WHO = {SPOUSE: "couple", HOME: "family"}


def excluding(ground: Ground) -> Iterator[Finding]:
    """Two policies drawn in the same month that exclude each other: by one person, couple or household."""
    pairs = {
        frozenset((code, other)) for code, part in ground.parts() for other in part.rule.excludes
    }
    together = {code for pair in pairs for code in pair}
    seen = set()
    for way, row in _pairs(ground, together):
        line, code, other, other_code = row["pk"], row["policy_code"], row["other"], row["code"]
        key = frozenset((line, other))
        if code == other_code or frozenset((code, other_code)) not in pairs or key in seen:
            continue
        path = row["resident__village__path"]
        if not (
            other_code in ground.rule(code, path).excludes
            or code in ground.rule(other_code, path).excludes
        ):
            continue
        seen.add(key)
        yield Finding(
            f"{min(key)}-{max(key)}", "", row["resident"],
            f"{_WHOSE[way]}从{month_words(row['since'])}起同时享受{catalogue.name_of(other_code)}，"
            "两项不能同时享受",
            code, line, other,
        )  # fmt: skip


def twice(ground: Ground) -> Iterator[Finding]:
    """Two lines of one policy: of one person, of a couple where it has one, of a household likewise."""
    seen = set()
    for way, row in _pairs(ground, set(catalogue.policies())):
        key = frozenset((row["pk"], row["other"]))
        if row["policy_code"] != row["code"] or key in seen:
            continue
        seen.add(key)
        said = {OWN: "同一人登记了两份", SPOUSE: "夫妻登记了两份", HOME: "一户登记了两份"}[way]
        yield Finding(
            f"{min(key)}-{max(key)}", "", row["resident"],
            f"{said}，另一份从{month_words(row['start'])}起", row["policy_code"], row["pk"],
            row["other"],
        )  # fmt: skip


def one_account(ground: Ground) -> Iterator[Finding]:
    """One bank account for people of more than one household; each of them is told, with how many."""
    everywhere = (
        Enrolment.objects.filter(ground.on_roll())
        .exclude(resident__bank_account_digest="")
        .order_by()
        .values("resident__bank_account_digest")
        .annotate(homes=Count("resident__household", distinct=True))
        .filter(homes__gt=1)
    )
    lines = ground.rolls().filter(
        resident__bank_account_digest__in=everywhere.values("resident__bank_account_digest")
    )
    digests = lines.values("resident__bank_account_digest")
    counts = {
        row["resident__bank_account_digest"]: (row["homes"], row["people"])
        for row in everywhere.filter(resident__bank_account_digest__in=digests).annotate(
            people=Count("resident", distinct=True)
        )
    }
    hidden = set(catalogue.sensitive_codes())
    rows = lines.values_list("resident", "resident__bank_account_digest", "pk", "policy_code")
    # Of several lines one stands for the person, best one that everybody at the desk may see.
    chosen: dict[int, tuple] = {}
    for row in sorted(rows, key=lambda row: (row[3] in hidden, row[2])):
        chosen.setdefault(row[0], row)
    for resident, digest, line, code in chosen.values():
        homes, people = counts[digest]
        yield Finding(
            f"{resident}", f"{digest[:20]}-{people}", resident,
            f"{people}人{homes}户共用一个银行账号", code, line,
        )  # fmt: skip


def two_registrations(ground: Ground) -> Iterator[Finding]:
    """Two records that may be one person, both on a roll.

    Pairs that wait in the queue of doubles, and people of one name, sex and birth date in one
    township, or anywhere where one has no number; without those that somebody has told apart.
    """
    enrolled = Exists(Enrolment.objects.filter(ground.on_roll(), resident=OuterRef("pk")))
    here = Resident.objects.filter(enrolled, departed_on__isnull=True, death_date__isnull=True)
    alike = (
        here.order_by()
        .values("name", "sex", "birth_date")
        .annotate(number=Count("pk"))
        .filter(number__gt=1)
    )
    same = alike.filter(
        name=OuterRef("name"), sex=OuterRef("sex"), birth_date=OuterRef("birth_date")
    )
    people: dict[int, tuple] = {}
    groups = defaultdict(list)
    for row in here.filter(Exists(same)).values_list(
        "pk", "name", "sex", "birth_date", "village__parent", "village__path", "id_number_digest"
    ):
        people[row[0]] = row
        groups[row[1:4]].append(row)
    told_apart = set(
        Duplicate.objects.exclude(state=Duplicate.State.OPEN).values_list("first", "second")
    )
    pairs = {
        (one[0], other[0]): "同名、同性别、同日出生的两人都在册"
        for group in groups.values()
        for one, other in combinations(sorted(group), 2)
        if (one[4] == other[4] or not (one[6] and other[6]))
        and (one[0], other[0]) not in told_apart
    }
    queued = Duplicate.objects.waiting().filter(
        first__in=here.values("pk"), second__in=here.values("pk")
    )
    rows = queued.values_list(
        "first", "second", "reason", "first__village__path", "second__village__path",
        "first__village__parent", "second__village__parent",
    )  # fmt: skip
    places = {pk: (row[5], row[4]) for pk, row in people.items()}
    for first, second, reason, path, other_path, township, other_township in rows:
        pairs[first, second] = f"疑似重复登记（{reason}），两份都在册"
        places |= {first: (path, township), second: (other_path, other_township)}
    lines = _first_lines(ground, {pk for pair in pairs for pk in pair})
    for (first, second), said in pairs.items():
        # One for the pair; across townships each township has its own.
        apart = places[first][1] != places[second][1]
        for one, other in ((first, second), (second, first)) if apart else ((first, second),):
            if places[one][0].startswith(ground.path):
                yield Finding(
                    f"{one}-{other}", "", one, said, lines[one][1], lines[one][0], lines[other][0]
                )


def _pairs(ground: Ground, codes: set[str]) -> Iterator[tuple[str, dict]]:
    """(way, line and other line) of `codes` that share a month, one of them still running.

    By person; by couple and household where one of the two policies has one line for them.
    """
    for way in (OWN, SPOUSE, HOME):
        lines = f"{way}__enrolments"
        overlap = (
            Q(**{f"{lines}__end_month__isnull": True})
            | Q(**{f"{lines}__end_month__gte": F("start_month")})
        ) & (Q(end_month__isnull=True) | Q(end_month__gte=F(f"{lines}__start_month")))
        paid = Q(end_month__isnull=True) | Q(end_month__gte=F("start_month"))
        other_paid = Q(**{f"{lines}__end_month__isnull": True}) | Q(
            **{f"{lines}__end_month__gte": F(f"{lines}__start_month")}
        )
        wanted = [
            Q(**{f"{lines}__policy_code__in": codes}), overlap, paid, other_paid,
            ground.on_roll() | ground.on_roll(f"{lines}__"),
        ]  # fmt: skip
        if way == OWN:
            wanted.append(Q(**{f"{lines}__pk__gt": F("pk")}))
        else:
            shared = [c for c in codes if catalogue.policy(c).who == _WHO[way]]
            wanted += [
                Q(policy_code__in=shared) | Q(**{f"{lines}__policy_code__in": shared}),
                # Not `~`, which asks of a household whether it has any such member.
                Q(**{f"{way}__gt": F("resident")}) | Q(**{f"{way}__lt": F("resident")}),
            ]
        if way == SPOUSE:
            wanted.append(Q(resident__marital__in=MARRIED))
        if way == HOME:
            wanted.append(Q(**{f"{way}__departed_on__isnull": True}))
        rows = (
            Enrolment.objects.filter(
                below(ground.path, "resident__village__path"), *wanted, policy_code__in=codes
            )
            .order_by("pk", f"{lines}__pk")
            .values(
                "pk", "policy_code", "resident", "resident__village__path", "start_month",
                other=F(f"{lines}__pk"), code=F(f"{lines}__policy_code"),
                start=F(f"{lines}__start_month"),
            )
        )  # fmt: skip
        for row in rows:
            yield way, row | {"since": max(row["start_month"], row["start"])}


def _first_lines(ground: Ground, people: set[int]) -> dict[int, tuple[int, str]]:
    """A running line of each of a few people."""
    rows = Enrolment.objects.filter(ground.on_roll(), resident__in=people).order_by("-pk")
    return {
        resident: (pk, code)
        for resident, pk, code in rows.values_list("resident", "pk", "policy_code")
    }
