"""Comparing, handing out and judging differences. Nothing of another list enters our registry by itself."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from fpadmin import bulk
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.scoping import below
from households.models import Resident
from subsidies.comparison.ground import Finding, Ground
from subsidies.comparison.rules import ACTIONS, RULES, Rule, key_of
from subsidies.models import Difference, EnrolmentChange, RosterEntry
from subsidies.policies.book import policy_book
from subsidies.services.enrolments import propose_change

EVENT_TYPES = {
    "comparison.run": "比对外部名单和在册对象",
    "difference.assigned": "分派比对差异",
    "difference.judged": "写比对差异核实结论",
    "difference.mending": "由比对差异转去更正",
    "difference.end_proposed": "由比对差异提出退出",
}
CHANGE_LABELS = {
    "differences_new": "新发现", "differences_gone": "已消除", "differences_again": "重新出现",
    "entries_new": "新名单行数",
}  # fmt: skip
CLOSED = "这条差异已经有结论或已消除，请刷新后再看。"
NOT_OURS = "这条差异没有分派给您，请由镇办或承办人处理。"
BATCH = 1000
Verdict = Difference.Verdict


@transaction.atomic
def run(
    *,
    by,
    region: Region,
    today: date,
    now: datetime,
    rules: Collection[str] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, step: None,
    before_commit: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Bring the differences of `region` up to date; running it again changes nothing.

    What is found again stays untouched, with its owner and verdict; what is no longer found is
    gone; whose facts changed is another difference, which takes over the owner of the one that it
    follows. `rules` are some keys of RULES, all where left out. Returns how many of each.
    `before_commit` is called last, inside the transaction.
    """
    bulk.one_at_a_time("comparison")
    chosen = [rule for key, rule in RULES.items() if rules is None or key in rules]
    progress(0, len(chosen) + 1, "对应居民")
    counts = {"entries": _match_entries(region, now)}
    ground = Ground(region.path, today, policy_book(today))
    found: dict[str, tuple[Rule, Finding]] = {}
    for done, rule in enumerate(chosen, start=1):
        progress(done, len(chosen) + 1, rule.title)
        found |= {key_of(rule, finding): (rule, finding) for finding in rule.find(ground)}
    counts |= _keep(found, [rule.key for rule in chosen], region, today)
    log.record(
        "comparison.run",
        by=by,
        region_path=region.path,
        count=counts["new"],
        changes={
            "differences_new": counts["new"],
            "differences_gone": counts["gone"],
            "differences_again": counts["again"],
            "entries_new": counts["entries"],
        },
    )
    before_commit()
    return counts


def _keep(found, rules: list[str], region: Region, today: date) -> dict[str, int]:
    known = {}
    mine = Difference.objects.within(region).filter(rule__in=rules).order_by()
    for row in mine.values_list("key", "pk", "gone_on", "detail", "owner"):
        known[row[0]] = row[1:]
    gone = {
        key: (pk, owner)
        for key, (pk, gone_on, _, owner) in known.items()
        if gone_on is None and key not in found
    }
    again = [known[key][0] for key in found if key in known and known[key][1] is not None]
    reworded = [
        Difference(pk=known[key][0], detail=finding.detail)
        for key, (_, finding) in found.items()
        if key in known and known[key][2] != finding.detail
    ]
    owners = {key.rpartition("|")[0]: owner for key, (_, owner) in gone.items() if owner}
    new = [
        Difference(
            key=key, kind=rule.kind, rule=rule.key, resident_id=finding.resident,
            policy_code=finding.policy_code, enrolment_id=finding.enrolment,
            other_enrolment_id=finding.other, entry_id=finding.entry, detail=finding.detail,
            found_on=today, owner_id=owners.get(key.rpartition("|")[0]),
        )
        for key, (rule, finding) in found.items()
        if key not in known
    ]  # fmt: skip
    # One known under the same key elsewhere, of somebody who moved meanwhile, stays as it is.
    Difference.objects.bulk_create(new, batch_size=BATCH, ignore_conflicts=True)
    Difference.objects.bulk_update(reworded, ["detail"], batch_size=BATCH)
    for chunk in _chunks([pk for pk, _ in gone.values()]):
        Difference.objects.filter(pk__in=chunk).update(gone_on=today)
    for chunk in _chunks(again):
        Difference.objects.filter(pk__in=chunk).update(gone_on=None, found_on=today)
    kept = len(found) - len(new) - len(again)
    return {"new": len(new), "gone": len(gone), "again": len(again), "kept": kept}


def _match_entries(region: Region, now: datetime) -> int:
    """Lead each line of the region's lists to the person of its number, within the office's region.

    Also lines of earlier lists, whose person was registered, or whose number was corrected, since.
    New lines count as compared from `now`. Returns how many these are.
    """
    entries = RosterEntry.objects.of_office(region).order_by()
    # A person without a number has a null digest, which equals none.
    same = Q(
        resident__id_number_digest__isnull=False, resident__id_number_digest=F("id_number_digest")
    )
    entries.filter(resident__isnull=False).exclude(same).update(resident=None)
    number = 0
    for office, path in entries.values_list("office", "office__path").distinct():
        lines = RosterEntry.objects.filter(office=office)
        people = Resident.objects.filter(
            below(path, "village__path"), id_number_digest=OuterRef("id_number_digest")
        ).order_by()
        whom = Subquery(people.values("pk")[:1])
        lines.filter(Exists(people), resident__isnull=True, compared_at__isnull=False).update(
            resident=whom
        )
        number += lines.new().update(resident=whom, compared_at=now)
    return number


@transaction.atomic
def assign(*, by, differences: Iterable[Difference], owner: User) -> dict[int, str]:
    """Hand open differences to somebody who sees them. Returns {key: why not}.

    Whoever isn't of the desk may only take what nobody has, for himself.
    """
    rows = list(differences)
    seen = _open_now(by, rows)
    theirs = set(
        Difference.objects.visible_to(owner)
        .filter(pk__in=[row.pk for row in rows])
        .values_list("pk", flat=True)
    )
    if not owner.may(Permission.BENEFIT_APPLY):
        raise RuleViolation(f"{owner.name}的岗位不能核实比对差异。", field="owner")
    hands_out = by.may(Permission.BENEFIT_EDIT)
    if not hands_out and owner != by:
        raise RuleViolation("您的岗位不能分派差异，只能由本人承办。", field="owner")
    refused = {}
    for row in rows:
        if row.pk not in seen:
            refused[row.pk] = CLOSED
        elif row.pk not in theirs:
            refused[row.pk] = f"{owner.name}看不到这条差异，请分派给别人"
        elif not hands_out and seen[row.pk] not in (None, by.pk):
            refused[row.pk] = "这条差异已经有承办人，要由镇办改派"
    done = [row for row in rows if row.pk not in refused]
    Difference.objects.filter(pk__in=[row.pk for row in done]).update(owner=owner)
    _record_each("difference.assigned", done, by, {"owner": str(owner.pk)})
    return refused


@transaction.atomic
def judge(
    *,
    by,
    differences: Iterable[Difference],
    verdict: str,
    proof: str,
    now: datetime,
    action: str = "",
) -> dict[int, str]:
    """The verdict with its proof, once. Returns {key: why not}.

    Refuses one that is closed, and whoever is neither of the desk nor the owner. `action` is what
    a mistake of ours closes into; one that isn't the rule's is refused.
    """
    if verdict not in Verdict.values:
        raise RuleViolation("请选择核实结论。", field="verdict")
    if not proof.strip():
        raise RuleViolation("写明依据：看了什么材料、问了谁。", field="proof")
    if action and (verdict != Verdict.RIGHT or action not in ACTIONS):
        raise RuleViolation("这个结论不用选办理事项。", field="action")
    rows = list(differences)
    seen = _open_now(by, rows)
    refused = {}
    for row in rows:
        if row.pk not in seen:
            refused[row.pk] = CLOSED
        elif not by.may(Permission.BENEFIT_EDIT) and seen[row.pk] != by.pk:
            refused[row.pk] = NOT_OURS
        elif action and action not in RULES[row.rule].actions:
            refused[row.pk] = f"“{RULES[row.rule].title}”不能这样办理"
    done = [row for row in rows if row.pk not in refused]
    Difference.objects.filter(pk__in=[row.pk for row in done]).update(
        verdict=verdict, proof=proof.strip(), action=action, decided_by=by, decided_at=now
    )
    _record_each("difference.judged", done, by, {"verdict": verdict})
    return refused


@transaction.atomic
def mend(*, by, difference: Difference, action: str) -> None:
    """Keep how a mistake of ours is being mended: one of the rule's actions, the last one chosen.

    Refuses what isn't to be mended, and whoever is neither of the desk nor the owner.
    """
    rows = Difference.objects.visible_to(by).filter(pk=difference.pk).to_mend()
    locked = rows.select_for_update(of=("self",)).first()
    if locked is None:
        raise RuleViolation("这条差异不用更正，请刷新后再看。")
    if not by.may(Permission.BENEFIT_EDIT) and locked.owner_id != by.pk:
        raise RuleViolation(NOT_OURS)
    if action not in RULES[locked.rule].actions:
        raise RuleViolation(f"“{RULES[locked.rule].title}”不能这样办理。")
    Difference.objects.filter(pk=locked.pk).update(action=action)
    log.record(
        "difference.mending", by=by, target=locked, region_path=locked.resident.village.path,
        changes={"action": [locked.action, action]},
    )  # fmt: skip


@transaction.atomic
def propose_end(
    *, by, difference: Difference, other: bool, month: date, reason: str, now: datetime
) -> EnrolmentChange:
    """Propose the end of the line (or the other of a pair) that turned out to be our mistake.

    Refuses unless judged so and nothing was proposed from it yet; the rest propose_change() refuses.
    """
    rows = Difference.objects.visible_to(by).filter(pk=difference.pk).to_mend()
    locked = rows.select_for_update(of=("self",)).first()
    if locked is None or locked.change_id:
        raise RuleViolation("请先写“我方有误”的结论；已经提出过退出的，不用再提。")
    line = locked.other_enrolment if other else locked.enrolment
    if line is None:
        raise RuleViolation("这条差异没有对应的在册记录，不用退出。")
    change = propose_change(
        by=by, enrolment=line, kind=EnrolmentChange.Kind.END, month=month, end_reason=reason,
        note=f"比对核查：{RULES[locked.rule].title}。{locked.proof}"[:300], now=now,
    )  # fmt: skip
    Difference.objects.filter(pk=locked.pk).update(change=change, action="end")
    log.record(
        "difference.end_proposed", by=by, target=locked, region_path=locked.resident.village.path
    )
    return change


def _open_now(by, rows: list[Difference]) -> dict[int, int | None]:
    """{key: owner} of those still open, locked in order."""
    open_rows = Difference.objects.visible_to(by).open().filter(pk__in=[row.pk for row in rows])
    return dict(open_rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "owner"))


def _record_each(type_: str, rows: list[Difference], by, changes: dict) -> None:
    paths = dict(
        Difference.objects.filter(pk__in=[row.pk for row in rows]).values_list(
            "pk", "resident__village__path"
        )
    )
    label = Difference._meta.label_lower
    log.record_many(
        [log.Entry(type_, label, str(row.pk), paths[row.pk], changes) for row in rows], by=by
    )


def _chunks(keys: list[int]):
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]
