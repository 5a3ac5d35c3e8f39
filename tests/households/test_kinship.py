"""What everybody is to a new head, worked out from words and links alone."""

from dataclasses import dataclass
from itertools import count

import pytest

from households.life_events.kinship import (
    relation_of_child,
    relation_of_spouse,
    relations_joining,
    relations_to,
)

_keys = count(1)


@dataclass
class Person:
    relation: str
    sex: str = "男"
    spouse_id: int | None = None
    father_id: int | None = None
    mother_id: int | None = None
    pk: int = 0

    def __post_init__(self):
        self.pk = self.pk or next(_keys)


def seen_from(new_head, others):
    """{relation before: relation after} of the others once `new_head` is the head."""
    people = [Person(*entry) for entry in [new_head, *others]]
    after = relations_to(people[0], people)
    assert after[people[0].pk] == "户主"
    return [after[p.pk] for p in people[1:]]


@pytest.mark.parametrize(
    ("new_head", "others", "expected"),
    [
        (("配偶", "女"), [("户主", "男"), ("子", "男"), ("女", "女")], ["配偶", "子", "女"]),
        (("配偶", "女"), [("儿媳", "女"), ("孙子女", "女"), ("父", "男")], ["儿媳", "孙子女", "其他"]),
        (("子", "男"), [("户主", "男"), ("配偶", "女"), ("女", "女")], ["父", "母", "兄弟姐妹"]),
        (("子", "男"), [("父", "男"), ("祖父母", "女")], ["祖父母", "其他"]),
        (("子", "男"), [("儿媳", "女"), ("孙子女", "女")], ["配偶", "女"]),
        (("女", "女"), [("女婿", "男"), ("户主", "女")], ["配偶", "母"]),
        (
            ("子", "男"),
            [("子", "男"), ("儿媳", "女"), ("孙子女", "男")],
            ["兄弟姐妹", "其他", "其他"],
        ),
        (("父", "男"), [("户主", "男"), ("母", "女"), ("配偶", "女")], ["子", "配偶", "儿媳"]),
        (("父", "男"), [("子", "男"), ("兄弟姐妹", "女")], ["孙子女", "女"]),
        (("母", "女"), [("父", "男"), ("户主", "女")], ["配偶", "女"]),
        (("兄弟姐妹", "男"), [("户主", "男"), ("父", "男"), ("子", "男")], ["兄弟姐妹", "父", "其他"]),
        (("孙子女", "男"), [("户主", "男"), ("子", "男"), ("儿媳", "女")], ["祖父母", "父", "母"]),
        (("祖父母", "女"), [("户主", "男")], ["孙子女"]),
        (("其他", "男"), [("户主", "男"), ("子", "男")], ["其他", "其他"]),
    ],
)  # fmt: skip
def test_relations_to_a_new_head(new_head, others, expected):
    assert seen_from(new_head, others) == expected


def test_links_say_more_than_words():
    head = Person("子")
    wife = Person("儿媳", "女", spouse_id=head.pk)
    child = Person("孙子女", "女", father_id=head.pk)
    brother, nephew = Person("子"), Person("孙子女")
    people = [head, wife, child, brother, nephew]
    after = relations_to(head, people)
    assert [after[p.pk] for p in people] == ["户主", "配偶", "女", "兄弟姐妹", "其他"]


def test_head_who_stays_changes_nobody():
    head, son = Person("户主"), Person("子")
    assert relations_to(head, [head, son]) == {head.pk: "户主", son.pk: "子"}


def test_people_who_join_are_placed_by_their_own():
    head, son = Person("户主"), Person("子")
    wife = Person("女", "女", spouse_id=son.pk)
    child = Person("其他", "女", mother_id=wife.pk)
    mother, stranger = Person("其他", "女"), Person("子")
    head.mother_id = mother.pk
    arriving = [child, wife, mother, stranger]
    after = relations_joining([head, son], arriving, head)
    assert [after[p.pk] for p in arriving] == ["孙子女", "儿媳", "母", "其他"]


@pytest.mark.parametrize(
    ("relation", "sex", "spouse", "child"),
    [
        ("户主", "女", "配偶", "女"),
        ("子", "女", "儿媳", "孙子女"),
        ("女", "男", "女婿", "孙子女"),
        ("父", "女", "母", "兄弟姐妹"),
        ("配偶", "男", "其他", "子"),
        ("其他", "男", "其他", "其他"),
    ],
)
def test_words_for_spouse_and_child_of_a_member(relation, sex, spouse, child):
    assert relation_of_spouse(relation, sex) == spouse
    assert relation_of_child(relation, sex) == child
