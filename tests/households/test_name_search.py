"""Search by any part of a name: the same people on both databases, and every character as typed."""

import pytest
from django.db import connection

from fpadmin.dates import today
from households.models import Resident
from households.name_search import named
from households.searches import parse_search
from tests.factories.households import make_household, make_resident

PEOPLE = {
    "王建国": "wjg",
    "李建国": "ljg",
    "王国建": "wgj",
    "建国": "jg",
    "𠮷野䶮": "jyy",
    "㼆": "",
    "阿依古丽·买买提": "aygl·mmt",
    "John Smith": "john smith",
    "百%分_": "bfs",
    "反\\斜'线\"": "fx",
}


@pytest.fixture
def people(village):
    home = make_household(village)
    for name, initials in PEOPLE.items():
        make_resident(home, name, name_initials=initials, relation="其他")


def found(text: str) -> set[str]:
    search = parse_search(text, today())
    return set(Resident.objects.filter(search.matches()).values_list("name", flat=True))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("建国", {"王建国", "李建国", "建国"}),
        ("国", {"王建国", "李建国", "王国建", "建国"}),
        ("王", {"王建国", "王国建"}),
        ("王建国", {"王建国"}),
        ("国国", set()),
        ("建王", set()),
        ("𠮷", {"𠮷野䶮"}),
        ("野䶮", {"𠮷野䶮"}),
        ("㼆", {"㼆"}),
        ("·", {"阿依古丽·买买提"}),
        ("丽·买", {"阿依古丽·买买提"}),
        ("Smith", {"John Smith"}),
        ("smith", set()),
        ("n S", {"John Smith"}),
        ("%", {"百%分_"}),
        ("_", {"百%分_"}),
        ("王%国", set()),
        ("\\", {"反\\斜'线\""}),
        ("'", {"反\\斜'线\""}),
        ('"', {"反\\斜'线\""}),
        ("{", set()),
        ("NULL", set()),
        ("wjg", {"王建国"}),
        ("WJ", {"王建国"}),
        ("j", {"建国", "𠮷野䶮", "John Smith"}),
        ("\ud7ff", set()),
        ("\U0010ffff", set()),
    ],
)
def test_a_part_of_a_name_finds_whoever_has_it(people, typed, names):
    assert found(typed) == names


def test_a_part_of_the_name_and_a_number_must_both_fit(people):
    john = Resident.objects.get(name="John Smith")
    search = parse_search(john.id_number, today())

    assert list(Resident.objects.filter(search.matches())) == [john]
    assert not Resident.objects.filter(search.matches(), name__has_part="王").exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the index is PostgreSQL's")
@pytest.mark.parametrize("typed", ["国", "建国"])
def test_the_index_of_characters_serves_the_search(people, typed):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        plan = Resident.objects.filter(named(typed)).order_by().explain()
    assert "resident_name_parts" in plan
