"""Two records side by side: what each says, which value would win, and how many pairs wait where."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.ui.templatetags.ui import NOTHING, date_dash
from fpadmin.ui.todos import Todo
from households.merge_choices import CHOICES, lacking
from households.models import Duplicate, LedgerMember, Merge, Residency, Resident
from households.presenters import ethnic_group_word, mask_of, place_of
from households.row_journal import references

_WORDS = {"spouse": "配偶", "father": "父亲", "mother": "母亲"}
_MASKED = ("id_number", "phone", "bank_account")


@dataclass(frozen=True)
class Line:
    """One field of two records side by side. `choice` names it where one value has to win."""

    label: str
    first: str
    second: str
    choice: str = ""
    differs: bool = False
    taken: str = "first"


@dataclass(frozen=True)
class TownshipCount:
    """How many pairs wait in one township."""

    township: Region
    number: int


def older(pair: Duplicate) -> Resident:
    """The record to keep unless somebody says otherwise: with a number, else registered first."""
    people = (pair.first, pair.second)
    return min(people, key=lambda p: (not p.id_number_digest, p.created_at, p.pk))


def compare(pair: Duplicate, kept: Resident) -> list[Line]:
    """All fields of both; where they differ, the value that wins unless the clerk says otherwise."""
    first, second = pair.first, pair.second
    merged = second if kept == first else first
    taken = lacking(kept, merged)
    lines = []
    for choice in CHOICES:
        texts = _text(first, choice), _text(second, choice)
        differs = _value(first, choice) != _value(second, choice)
        winner = merged if choice in taken else kept
        lines.append(
            Line(
                _label(choice), *texts, choice if differs else "", differs,
                "first" if winner == first else "second",
            )
        )  # fmt: skip
    for label, texts in (
        ("村组", [place_of(p.village, p.household.group) for p in (first, second)]),
        ("家庭", [str(p.household) for p in (first, second)]),
        ("与户主关系", [p.relation for p in (first, second)]),
        ("户口性质", [p.hukou for p in (first, second)]),
        ("居住状态", [p.residence for p in (first, second)]),
        ("户籍地代码", [p.hukou_region_code or NOTHING for p in (first, second)]),
    ):
        lines.append(Line(label, *texts, differs=texts[0] != texts[1]))
    return lines


def hanging_on(resident: Resident) -> list[tuple[str, int]]:
    """(what, how many) of all rows that would follow the person, of any app."""
    counts: dict[str, int] = {}
    for model, field in references(Resident):
        if model in (Duplicate, Merge, Residency, LedgerMember) or field.name == "merged_into":
            continue
        words = str(model._meta.verbose_name)
        if model is Resident:
            words = f"登记为别人的{_WORDS.get(field.name, field.verbose_name)}"
        number = model._base_manager.filter(**{field.name: resident}).count()
        counts[words] = counts.get(words, 0) + number
    return [(words, number) for words, number in counts.items() if number]


def counts_by_township(user) -> tuple[list[TownshipCount], int]:
    """Pairs that wait in each township of the user's region, and those between two townships."""
    rows = (
        Duplicate.objects.visible_to(user)
        .waiting()
        .order_by()
        .values_list("first__village__parent", "second__village__parent")
        .annotate(number=Count("pk"))
    )
    within: dict[int, int] = {}
    across = 0
    for first, second, number in rows:
        if first == second:
            within[first] = within.get(first, 0) + number
        else:
            across += number
    townships = Region.objects.visible_to(user).filter(pk__in=within).order_by("code")
    return [TownshipCount(region, within[region.pk]) for region in townships], across


def waiting(user) -> int:
    """How many pairs the user has to decide."""
    return Duplicate.objects.visible_to(user).waiting().count()


def todos(user, day: date) -> list[Todo]:
    """The own pairs; for who sees several townships, those between two, which nobody can decide."""
    word = ("warn", "待核对")
    if user.may(Permission.REGISTRY_EDIT):
        url = reverse("households:duplicate-list")
        hint = "同一人可能登记了两次"
        return [Todo("疑似重复登记", waiting(user), url, *word, hint, "去核对")]
    url = reverse("households:duplicate-counts")
    if user.region.level >= Region.Level.TOWNSHIP:
        return [Todo("疑似重复登记", waiting(user), url, *word, "由镇办核对", "查看")]
    across, hint = counts_by_township(user)[1], "请组织两个镇办一起核对"
    return [Todo("跨乡镇的疑似重复登记", across, url, *word, hint, "查看")]


def _label(choice: str) -> str:
    return _WORDS.get(choice) or str(Resident._meta.get_field(choice).verbose_name)


def _value(person: Resident, choice: str) -> tuple[Any, ...]:
    return tuple(getattr(person, name) for name in CHOICES[choice] if name != "name_initials")


def _text(person: Resident, choice: str) -> str:
    if choice in _WORDS:
        number = getattr(person, f"{choice}_id_number")
        relative = getattr(person, choice)
        parts = [relative.name if relative else "", mask_of("id_number", number) if number else ""]
        return "　".join(filter(None, parts)) or NOTHING
    value = getattr(person, choice)
    if not value:
        return NOTHING
    if isinstance(value, date):
        return date_dash(value)
    if choice in _MASKED:
        return mask_of(choice, value)
    return ethnic_group_word(value) if choice == "ethnicity" else str(value)
