"""The contacts of an archive, current and past, with what is missing by the office's rule."""

from datetime import date

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_phone
from households.models import FamilyContact, SpecialFamily
from households.special import sections, staffing
from households.special.rule_list import contacts_words
from households.special.rules import rule_book
from households.special.sections import PaperTable, Section


def contacts_context(user, family: SpecialFamily, day: date) -> dict:
    """Current and past terms, what the office asks for, and what of it is missing."""
    terms = _terms(user, family)
    open_families = SpecialFamily.objects.visible_to(user).open_on(day).filter(pk=family.pk)
    staffed = staffing.shortfalls(open_families, day).first()
    return {
        "current": [term for term in terms if term.ended_on is None],
        "past": [term for term in terms if term.ended_on is not None][::-1],
        "asked": "每户" + contacts_words(rule_book(day).of(family.household.village.path)),
        "missing": staffing.words_of(staffed) if staffed else [],
        "is_open": family.closed_on is None,
        "may_edit": user.may(Permission.SPECIAL_EDIT),
    }


def contacts_paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """Current and past contacts as tables; phones masked."""
    terms = _terms(user, family)
    return [
        PaperTable(
            "现任联系人",
            ("姓名", "类别", "单位职务", "联系电话", "从哪天起", "接替"),
            [
                (
                    *_who(term),
                    str(term.started_on),
                    term.follows.person.name if term.follows else "",
                )
                for term in terms
                if term.ended_on is None
            ],
        ),
        PaperTable(
            "历任联系人",
            ("姓名", "类别", "单位职务", "联系电话", "期间", "结束原因", "交给"),
            [
                (*_who(term), term.term, term.end_reason, successor_name(term))
                for term in terms
                if term.ended_on is not None
            ],
        ),
    ]


def successor_name(term: FamilyContact) -> str:
    """Who took over, "" where nobody did."""
    successor = getattr(term, "successor", None)
    return successor.person.name if successor else ""


def _terms(user, family: SpecialFamily) -> list[FamilyContact]:
    terms = FamilyContact.objects.visible_to(user).filter(family=family)
    terms = terms.select_related("person", "follows__person", "successor__person")
    return list(terms.order_by("started_on", "pk"))


def _who(term: FamilyContact) -> tuple[str, str, str, str]:
    person = term.person
    phone = mask_phone(person.phone) if person.phone else ""
    return person.name, person.kind, person.post, phone


def load() -> None:
    """Register the section. Called once, by ready()."""
    sections.register(
        Section(
            key="contacts",
            title="联系人",
            template="households/special/_contacts.html",
            context=contacts_context,
            paper=contacts_paper,
            order=20,
        )
    )
