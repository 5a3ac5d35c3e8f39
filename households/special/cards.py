"""联系知情卡: what a family is told of its contacts, two cards to a sheet of A4."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from households.models import ContactPerson, FamilyContact, SpecialFamily
from households.special.rules import RuleBook, rule_book

MOST = 200
PER_SHEET = 2
ASK_FOR = (
    "看病就医：挂号、就诊、转诊、取药、收费、综合诊疗优先，家庭医生签约，免费体检",
    "生活照料：养老安置、住院护理、住房困难",
    "帮扶慰问：扶助政策咨询和代办、节日和生病时看望、精神慰藉",
    "遇到急事难事：随时打联系人的电话",
)


@dataclass(frozen=True)
class Card:
    """One family's card; `gone` are contacts who left and are not handed over, so not printed."""

    family: SpecialFamily
    unit: str
    hotline: str
    contacts: list[ContactPerson]
    gone: list[ContactPerson]


def cards_of(user, families: Sequence[SpecialFamily], day: date) -> list[Card]:
    """The cards of these families, in a fixed number of queries."""
    book = rule_book(day)
    contacts = defaultdict(list)
    terms = FamilyContact.objects.visible_to(user).filter(
        family__in=families, ended_on__isnull=True
    )
    for term in terms.select_related("person__region").order_by("started_on", "pk"):
        contacts[term.family_id].append(term.person)
    return [_card(family, contacts[family.pk], book) for family in families]


def sheets_of(cards: list[Card]) -> list[list[Card]]:
    """Cut into sheets."""
    return [cards[start : start + PER_SHEET] for start in range(0, len(cards), PER_SHEET)]


def hotline_of(book: RuleBook, path: str) -> str:
    """The telephone of the nearest office above a place that named one."""
    lines = (rule.hotline for prefix, rule in book.rules.items() if path.startswith(prefix))
    return next(filter(None, lines), "")


def _card(family: SpecialFamily, people: list[ContactPerson], book: RuleBook) -> Card:
    path = family.household.village.path
    return Card(
        family=family,
        unit=family.household.village.parent.name,
        hotline=hotline_of(book, path),
        contacts=[one for one in people if not one.left_on],
        gone=[one for one in people if one.left_on],
    )
