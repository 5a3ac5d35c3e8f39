"""Who is what to whom: the relation words of a household's members when somebody else is its head.

Pure proposals. They are shown to the clerk, who may choose another word; where the registry doesn't
say enough the word is 其他.
"""

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from households.models.enums import Relation, Sex

R = Relation
CHILD, PARENT, CHILD_IN_LAW = "child", "parent", "child in law"
_BY_SEX = {
    CHILD: {Sex.MALE: R.SON, Sex.FEMALE: R.DAUGHTER},
    PARENT: {Sex.MALE: R.FATHER, Sex.FEMALE: R.MOTHER},
    CHILD_IN_LAW: {Sex.MALE: R.SON_IN_LAW, Sex.FEMALE: R.DAUGHTER_IN_LAW},
}
_OWN_CHILDREN = {R.SON: CHILD, R.DAUGHTER: CHILD}
_PARENTS = {R.FATHER: PARENT, R.MOTHER: PARENT}
# relation of the new head to the old one → {relation to the old head: relation to the new one}
_SEEN_FROM = {
    R.SPOUSE: {
        R.HEAD: R.SPOUSE, **_OWN_CHILDREN, R.DAUGHTER_IN_LAW: CHILD_IN_LAW,
        R.SON_IN_LAW: CHILD_IN_LAW, R.GRANDCHILD: R.GRANDCHILD,
    },
    R.SON: {
        R.HEAD: PARENT, R.SPOUSE: PARENT, R.SON: R.SIBLING, R.DAUGHTER: R.SIBLING,
        R.FATHER: R.GRANDPARENT, R.MOTHER: R.GRANDPARENT,
    },
    R.FATHER: {
        R.HEAD: CHILD, R.MOTHER: R.SPOUSE, R.SPOUSE: CHILD_IN_LAW, R.SON: R.GRANDCHILD,
        R.DAUGHTER: R.GRANDCHILD, R.SIBLING: CHILD, R.GRANDPARENT: PARENT,
    },
    R.SIBLING: {R.HEAD: R.SIBLING, R.SIBLING: R.SIBLING, **_PARENTS, R.GRANDPARENT: R.GRANDPARENT},
    R.GRANDCHILD: {R.HEAD: R.GRANDPARENT, R.SPOUSE: R.GRANDPARENT},
    R.GRANDPARENT: {R.HEAD: R.GRANDCHILD, R.SIBLING: R.GRANDCHILD},
}  # fmt: skip
_SEEN_FROM[R.DAUGHTER] = _SEEN_FROM[R.SON]
_SEEN_FROM[R.MOTHER] = {**_SEEN_FROM[R.FATHER], R.FATHER: R.SPOUSE, R.GRANDPARENT: R.OTHER}
# What the husband or wife of somebody with this relation to the head is to the head.
_MARRIED_TO = {
    R.HEAD: R.SPOUSE, R.SON: CHILD_IN_LAW, R.DAUGHTER: CHILD_IN_LAW, R.FATHER: R.MOTHER,
    R.MOTHER: R.FATHER, R.GRANDPARENT: R.GRANDPARENT,
}  # fmt: skip
# What a child of somebody with this relation to the head is to the head.
_BORN_TO = {
    R.HEAD: CHILD, R.SPOUSE: CHILD, R.SON: R.GRANDCHILD, R.DAUGHTER: R.GRANDCHILD,
    R.DAUGHTER_IN_LAW: R.GRANDCHILD, R.SON_IN_LAW: R.GRANDCHILD, R.FATHER: R.SIBLING,
    R.MOTHER: R.SIBLING,
}  # fmt: skip


class Person(Protocol):
    """As much of a resident as a proposal looks at."""

    pk: int
    sex: str
    relation: str
    spouse_id: int | None
    father_id: int | None
    mother_id: int | None
    household_id: int
    death_date: date | None
    departed_on: date | None


def relations_to(new_head: Person, members: Iterable[Person]) -> dict[int, str]:
    """{pk: relation} of the members of one household once `new_head`, one of them, is its head.

    Links between the two decide; else what both are to the present head.
    """
    members = list(members)
    return {m.pk: _relation(new_head, m, members) for m in members}


def relation_by_link(head: Person, member: Person) -> str:
    """What the recorded spouse and parents make `member` to `head`; "" where they say nothing."""
    if member.pk == head.pk:
        return R.HEAD
    if head.spouse_id == member.pk or member.spouse_id == head.pk:
        return R.SPOUSE
    if head.pk in (member.father_id, member.mother_id):
        return _word(CHILD, member.sex)
    if member.pk in (head.father_id, head.mother_id):
        return _word(PARENT, member.sex)
    return ""


def relation_of_spouse(relation: str, sex: str) -> str:
    """What somebody of that sex is to the head, married to a member of that relation."""
    return _word(_MARRIED_TO.get(relation, R.OTHER), sex)


def relation_of_child(relation: str, sex: str) -> str:
    """What a child of that sex is to the head, born to a member of that relation."""
    return _word(_BORN_TO.get(relation, R.OTHER), sex)


def still_in_law(couple: Iterable[Person]) -> list[Person]:
    """Who of a divorced couple in one household has a relation to its head by that marriage alone."""
    couple = [p for p in couple if not p.departed_on and not p.death_date]
    if len({p.household_id for p in couple}) != 1 or len(couple) < 2:
        return []
    return [p for p in couple if p.relation in (R.SPOUSE, R.DAUGHTER_IN_LAW, R.SON_IN_LAW)]


def relations_joining(
    present: Iterable[Person], arriving: Iterable[Person], head: Person
) -> dict[int, str]:
    """{pk: relation} of people who come into the household of `head`, by spouse and parents there."""
    present, arriving = list(present), list(arriving)
    words = {m.pk: m.relation for m in present}
    for member in arriving:
        word = relation_by_link(head, member) or _by_relative(member, present, words)
        if word:
            words[member.pk] = word
    for member in arriving:
        if member.pk not in words:
            words[member.pk] = _by_relative(member, arriving, words) or R.OTHER
    return {m.pk: words[m.pk] for m in arriving}


def _by_relative(member: Person, others: list[Person], words: dict[int, str]) -> str:
    """By the husband, wife or parent among `others` whose relation is known already."""
    known = [o for o in others if o.pk in words and o.pk != member.pk]
    for other in known:
        if other.pk == member.spouse_id:
            return relation_of_spouse(words[other.pk], member.sex)
    for other in known:
        if other.pk in (member.father_id, member.mother_id):
            return relation_of_child(words[other.pk], member.sex)
    return ""


def _relation(head: Person, member: Person, members: list[Person]) -> str:
    linked = relation_by_link(head, member)
    if linked or head.relation == R.HEAD:
        return linked or member.relation
    return _through_marriage(head, member, members) or _word(
        _SEEN_FROM.get(head.relation, {}).get(member.relation, R.OTHER), member.sex
    )


def _through_marriage(head: Person, member: Person, members: list[Person]) -> str:
    """A child in law and the grandchildren, where only one couple of that generation lives here."""
    children = [m for m in members if m.relation in (R.SON, R.DAUGHTER)]
    in_law = {R.SON: R.DAUGHTER_IN_LAW, R.DAUGHTER: R.SON_IN_LAW}
    if head.relation in in_law and len(children) == 1:
        if member.relation == in_law[head.relation] and not member.spouse_id:
            return R.SPOUSE
        no_parents = not (member.father_id or member.mother_id)
        if member.relation == R.GRANDCHILD and no_parents:
            return _word(CHILD, member.sex)
    if head.relation == R.GRANDCHILD and not (head.father_id or head.mother_id):
        couple = (R.SON, R.DAUGHTER, R.DAUGHTER_IN_LAW, R.SON_IN_LAW)
        if member.relation in couple and len(children) == 1:
            return _word(PARENT, member.sex)
    return ""


def _word(kind: str, sex: str) -> str:
    return _BY_SEX[kind][sex] if kind in _BY_SEX else kind
