"""就医卡 and 住院护理保险 of the workbook: a changed number is another card, 否 ends an insurance."""

from collections import defaultdict
from datetime import date

from fpadmin import bulk
from fpadmin.imports.reader import masked
from fpadmin.imports.widgets import CLEAR
from households.models import MedicalCard, NursingInsurance
from households.special_import.plan import Card, FamilyPlan, Insurance

NUMBER, ISSUED, INSURED = "medical_card_no", "medical_card_date", "nursing_insurance"
_CARD = ["id", "resident_id", "number", "issued_on", "expires_on", "ended_on"]


def plan_care(plan: FamilyPlan) -> None:
    """Decide which cards and insurances begin, change and end."""
    families = {archive.pk for archive in plan.known.values()}
    plan.cards, plan.insurances = defaultdict(list), defaultdict(list)
    for family, *row in bulk.lookup(MedicalCard, "family_id", families, _CARD):
        plan.cards[family].append(Card(*row))
    columns = ["id", "starts_on", "ends_on"]
    for family, *row in bulk.lookup(NursingInsurance, "family_id", families, columns):
        plan.insurances[family].append(Insurance(*row))
    for index in plan.table.good():
        if index not in plan.closed:
            _card(plan, index)
            _insurance(plan, index)
    _warn_of_taken_numbers(plan)


def _card(plan: FamilyPlan, index: int) -> None:
    table = plan.table
    number, issued_on = table.columns[NUMBER][index], table.columns[ISSUED][index]
    archive = plan.known.get(index)
    cards = plan.cards[archive.pk] if archive else []
    own = [card for card in cards if card.resident is None and card.ended_on is None]
    if number is CLEAR:
        for card in own:
            _end(plan, index, card, "导入时清空")
            plan.note(index, NUMBER, _shown(plan, card.number), "")
    elif number is None:
        if len(own) == 1:
            _date(plan, index, own[0], issued_on)
        elif isinstance(issued_on, date):
            table.warn(
                index,
                ISSUED,
                "card_number_missing",
                "没有填就医卡号，发卡日期没有导入。请补填卡号。",
            )
    else:
        _numbered(plan, index, cards, own)


def _numbered(plan: FamilyPlan, index: int, cards: list[Card], own: list[Card]) -> None:
    table = plan.table
    number, issued_on = table.columns[NUMBER][index], table.columns[ISSUED][index]
    same = next((card for card in cards if card.number == number), None)
    if same is None:
        for card in own:
            _end(plan, index, card, "换卡")
        plan.new_cards[index] = number, None if issued_on is CLEAR else issued_on
        old = "、".join(_shown(plan, card.number) for card in own)
        plan.note(index, NUMBER, old, _shown(plan, number))
    elif same.ended_on:
        table.warn(
            index, NUMBER, "card_ended", f"这张卡已于{same.ended_on}停用，没有导入。请核对卡号。"
        )
    else:
        _date(plan, index, same, issued_on)


def _date(plan: FamilyPlan, index: int, card: Card, cell) -> None:
    """A changed 发卡日期 is a correction."""
    issued_on = None if cell is CLEAR else cell
    if cell is None or issued_on == card.issued_on:
        return
    if issued_on and card.expires_on and issued_on > card.expires_on:
        plan.table.error(
            index, ISSUED, "card_dates", f"这张卡的有效期到{card.expires_on}，发卡日期不能比它晚。"
        )
        return
    plan.card_changes.setdefault(index, []).append(
        (card, {"issued_on": [card.issued_on, issued_on]})
    )
    plan.note(index, ISSUED, str(card.issued_on or ""), str(issued_on or ""))


def _end(plan: FamilyPlan, index: int, card: Card, reason: str) -> None:
    on = max(plan.ground.on, card.issued_on or plan.ground.on)
    plan.card_changes.setdefault(index, []).append(
        (card, {"ended_on": [None, on], "end_reason": ["", reason]})
    )


def _shown(plan: FamilyPlan, number: str) -> str:
    return masked(plan.table.kind.column(NUMBER), number)


def _insurance(plan: FamilyPlan, index: int) -> None:
    cell, on = plan.table.columns[INSURED][index], plan.ground.on
    if cell is None:
        return
    archive = plan.known.get(index)
    known = plan.insurances[archive.pk] if archive else []
    lasting = [one for one in known if one.ends_on is None or one.ends_on > on]
    if cell is True and not lasting:
        plan.new_insurances[index] = on if known else None
        plan.note(index, INSURED, "否", "是")
    elif cell is not True:
        begun = [one for one in lasting if one.starts_on is None or one.starts_on <= on]
        if begun:
            plan.ended_insurances[index] = begun
            plan.note(index, INSURED, "是", "否")


def _warn_of_taken_numbers(plan: FamilyPlan) -> None:
    """A card number that another family holds, here or in another row."""
    rows = defaultdict(list)
    for index, (number, _) in plan.new_cards.items():
        if index not in plan.table.bad:
            rows[number].append(index)
    taken = {
        number
        for number, ended_on in bulk.lookup(MedicalCard, "number", rows, ["ended_on"])
        if ended_on is None
    }
    for number, indices in rows.items():
        if number in taken or len(indices) > 1:
            for index in indices:
                plan.table.warn(
                    index,
                    NUMBER,
                    "card_taken",
                    "这个卡号已登记给另一户，已照原样导入。请核对卡号。",
                )
