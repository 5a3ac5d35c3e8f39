"""Care in an archive: seven parts of its page, each a table, and the same tables on paper.

No part holds what a health check found: see check_results, which the health page asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.templatetags.ui import money
from households.models import DoctorContract, FamilyParent, HealthCheck, MedicalCard, SpecialFamily
from households.special import sections
from households.special.benefits import benefits_of
from households.special.care import PRIORITY, describe
from households.special.care_rows import SOON_DAYS
from households.special.doctor_contracts import LABELS, OWN, contracts_of
from households.special.sections import PaperTable, Section

TEMPLATE = "households/special/_care.html"
OVER_WORD = "已过期"
Tag = tuple[str, str]


@dataclass(frozen=True)
class Line:
    """One row: its cells, its state (kind and word, and a note), and what the user may do with it."""

    cells: tuple[str, ...]
    tag: Tag | None = None
    note: str = ""
    acts: tuple[tuple[str, str], ...] = ()
    called: str = ""


@dataclass(frozen=True)
class CareTable:
    """A part's table: what its columns are called, its rows, and a line to say beside the heading."""

    headings: tuple[str, ...]
    lines: list[Line]
    hint: str = ""
    has_state: bool = False

    @property
    def has_acts(self) -> bool:
        """Whether any row offers something to do."""
        return any(line.acts for line in self.lines)

    @property
    def labelled(self) -> list[tuple[Line, list[tuple[str, str]]]]:
        """Each row with its cells beside what their columns are called."""
        return [(line, list(zip(self.headings, line.cells, strict=True))) for line in self.lines]


Rows = Callable[..., CareTable]


def cards(user, family: SpecialFamily, day: date) -> CareTable:
    """Every card, those in use first."""
    rows = sorted(
        family.medical_cards.select_related("resident").order_by("-issued_on", "-pk"),
        key=lambda card: bool(card.ended_on),
    )
    lines = [
        Line(
            (card.number, _name(card, "全家共用"), _day(card.issued_on), _day(card.expires_on, "长期")),
            *_card_state(card, day),
            () if card.ended_on else _acts(user, "card", card, ("replace", "end")),
            describe(card),
        )
        for card in rows
    ]  # fmt: skip
    return CareTable(("就医卡号", "持卡人", "发卡日期", "有效期至"), lines, has_state=True)


def priorities(user, family: SpecialFamily, day: date) -> CareTable:
    """Every use of a priority, newest first."""
    lines = [
        Line(
            (_day(use.used_on), use.get_kind_display(), use.hospital, _name(use, "—"), use.note or "—"),
            acts=_acts(user, "priority", use, ("remove",)),
            called=describe(use),
        )
        for use in family.priority_services.select_related("resident")
    ]  # fmt: skip
    return CareTable(("使用日期", "优先项目", "医院", "就医人", "情况"), lines)


def checks(user, family: SpecialFamily, day: date) -> CareTable:
    """Every check without its result; beside the heading whose check of this year is due."""
    found = list(family.health_checks.select_related("resident"))
    done = {check.resident_id for check in found if check.checked_on.year == day.year}
    due = [p.resident.name for p in _parents(family, day) if p.resident_id not in done]
    lines = [
        Line(
            (_name(check), _day(check.checked_on), check.hospital or "—"),
            acts=_acts(user, "check", check, ("remove",)),
            called=describe(check),
        )
        for check in found
    ]
    hint = f"{day.year}年还没有体检：{'、'.join(due)}" if due else ""
    return CareTable(("体检人", "体检日期", "体检机构"), lines, hint)


def contracts(user, family: SpecialFamily, day: date) -> CareTable:
    """Every contract recorded here, and those in force that others recorded."""
    lines = [
        Line(
            (
                _name(one), one.institution, one.doctor, _day(one.signed_on), _day(one.until),
                LABELS[OWN],
            ),
            *_contract_state(one, day),
            () if one.ended_on else _acts(user, "contract", one, ("end",)),
            describe(one),
        )
        for one in family.doctor_contracts.select_related("resident")
    ]  # fmt: skip
    parents = {p.resident_id: p.resident.name for p in _parents(family, day)}
    in_force = contracts_of(parents, day)
    lines += [
        Line(
            (
                parents[pk], one.institution, one.doctor, _day(one.signed_on), _day(one.until),
                one.source,
            ),
            _lasting(one.until, day, "签约中", "已到期"),
        )
        for pk, known in in_force.items()
        for one in known
        if one.source != LABELS[OWN]
    ]  # fmt: skip
    without = "、".join(name for pk, name in parents.items() if pk not in in_force)
    return CareTable(
        ("签约人", "签约机构", "家庭医生", "签约日期", "到期日期", "登记在"),
        lines,
        f"没有签约：{without}" if without else "",
        has_state=True,
    )


def insurances(user, family: SpecialFamily, day: date) -> CareTable:
    """Every insurance, newest first."""
    lines = [
        Line(
            (
                one.insurer or "—", one.policy_number or "—", _day(one.starts_on),
                _day(one.ends_on, "没有写明"),
            ),
            ("wait", "未起保")
            if one.starts_on and one.starts_on > day
            else _lasting(one.ends_on, day, "在保", "已到期"),
            acts=_acts(user, "insurance", one, ("remove",)),
            called=describe(one),
        )
        for one in family.nursing_insurances.all()
    ]  # fmt: skip
    return CareTable(("保险公司", "保单号", "起保日期", "到期日期"), lines, has_state=True)


def aids(user, family: SpecialFamily, day: date) -> CareTable:
    """What the archive says the family received, and what other parts of the product pay it."""
    lines = [
        Line(
            (
                one.name, _day(one.received_on),
                money(one.amount), _name(one, "全家"), one.note or "—",
            ),
            acts=_acts(user, "aid", one, ("remove",)),
            called=describe(one),
        )
        for one in family.aids.select_related("resident")
    ]  # fmt: skip
    lines += [
        Line((row.name, _term(row.since, row.until), money(row.amount), "—", row.note or "—"))
        for row in benefits_of(family, day)
    ]
    return CareTable(("待遇或救助", "享受日期", "金额（元）", "受助人", "说明"), lines)


def anniversaries(user, family: SpecialFamily, day: date) -> CareTable:
    """The days that the family asked to be remembered."""
    lines = [
        Line(
            (f"{one.month}月{one.day}日", one.title, one.note or "—"),
            acts=_acts(user, "anniversary", one, ("remove",)),
            called=describe(one),
        )
        for one in family.anniversaries.all()
    ]
    return CareTable(
        ("日子", "名称", "注意事项"), lines, "提前14天提示联系人，系统不向家庭发送任何消息"
    )


def check_results(family: SpecialFamily) -> list[HealthCheck]:
    """The checks with what they found, newest first: for the health page alone, which records it."""
    return list(family.health_checks.select_related("resident"))


# Words ------------------------------------------------------------------------------------------


def _name(row, nobody: str = "—") -> str:
    return row.resident.name if row.resident else nobody


def _day(day: date | None, unknown: str = "—") -> str:
    return str(day) if day else unknown


def _term(since: date | None, until: date | None) -> str:
    return f"{_day(since, '')}至{_day(until, '今')}"


def _lasting(until: date | None, day: date, valid: str, over: str) -> Tag:
    if until and until < day:
        return ("off", over)
    if until and until <= day + timedelta(days=SOON_DAYS):
        left = (until - day).days
        return ("warn", f"{left}天后到期" if left else "今天到期")
    return ("ok", valid)


def _card_state(card: MedicalCard, day: date) -> tuple[Tag, str]:
    if card.ended_on:
        return ("off", "已停用"), f"{card.ended_on}　{card.end_reason}".strip()
    kind, word = _lasting(card.expires_on, day, "有效", OVER_WORD)
    return ("warn" if word == OVER_WORD else kind, word), ""


def _contract_state(contract: DoctorContract, day: date) -> tuple[Tag, str]:
    if contract.ended_on and contract.ended_on <= day:
        return ("off", "已终止"), str(contract.ended_on)
    return _lasting(contract.until, day, "签约中", "已到期"), ""


def _parents(family: SpecialFamily, day: date) -> list[FamilyParent]:
    parents = family.parents.filter(ended_on__isnull=True).select_related("resident")
    return [one for one in parents if one.resident.is_living_on(day)]


def _acts(user, key: str, row, more: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """(word, address) of what the user may do with a row of the table `key`."""
    acts = []
    if key == PRIORITY.key:
        if user.may(Permission.SPECIAL_RECORD):
            acts.append(("更正", reverse("households:special-care-priority-edit", args=[row.pk])))
    elif user.may(Permission.SPECIAL_EDIT):
        acts.append(("更正", reverse("households:special-care-edit", args=[key, row.pk])))
    if user.may(Permission.SPECIAL_EDIT):
        for act in more:
            if act == "remove":
                acts.append(("删除", reverse("households:special-care-remove", args=[key, row.pk])))
            else:
                word = {"replace": "换卡", "end": "停用" if key == "card" else "终止"}[act]
                acts.append((word, reverse(f"households:special-care-{key}-{act}", args=[row.pk])))
    return tuple(acts)


# Parts ------------------------------------------------------------------------------------------


def _context(rows: Rows, key: str, empty: str, user, family, day) -> dict[str, Any]:
    table = rows(user, family, day)
    add = ""
    if family.closed_on is None:
        if key == PRIORITY.key and user.may(Permission.SPECIAL_RECORD):
            add = reverse("households:special-care-priority-create", args=[family.pk])
        elif key != PRIORITY.key and user.may(Permission.SPECIAL_EDIT):
            add = reverse("households:special-care-create", args=[family.pk, key])
    return {"table": table, "add": add, "empty": empty}


def _paper(rows: Rows, title: str, user, family, day) -> list[PaperTable]:
    table = rows(user, family, day)
    if not table.has_state:
        return [PaperTable(title, table.headings, [line.cells for line in table.lines])]
    lines = [(*line.cells, f"{line.tag[1]}　{line.note}".strip()) for line in table.lines]
    return [PaperTable(title, (*table.headings, "状态"), lines)]


def load() -> None:
    """Register the parts. Called once, by ready()."""
    for order, (key, title, rows, kind, empty) in enumerate(
        (
            ("cards", "就医卡", cards, "card", "还没有发就医卡。"),
            ("priority", "六优先使用", priorities, "priority", "还没有使用记录。"),
            ("checks", "年度体检", checks, "check", "还没有体检记录。"),
            ("contracts", "家庭医生签约", contracts, "contract", "还没有签约。"),
            ("insurance", "住院护理保险", insurances, "insurance", "还没有保险。"),
            ("aids", "享受待遇", aids, "aid", "还没有登记享受的待遇。"),
            ("anniversaries", "纪念日", anniversaries, "anniversary", "家庭没有嘱托要记住的日子。"),
        )
    ):  # fmt: skip
        sections.register(
            Section(
                key=key,
                title=title,
                template=TEMPLATE,
                context=partial(_context, rows, kind, empty),
                paper=partial(_paper, rows, title),
                order=40 + 2 * order,
            )
        )
