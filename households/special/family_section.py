"""Two parts of an archive: the family itself, and what waits to be looked at again."""

from datetime import date

from django.db.models import F

from fpadmin.dates import age_on
from fpadmin.identity import mask_id_number, mask_phone
from households import selectors
from households.models import ChildRecord, FamilyParent, Resident, SpecialFamily
from households.presenters import age_words, ethnic_group_word
from households.special import sections
from households.special.archive_page import parents_of_archive
from households.special.sections import PaperTable, Section


def family_context(user, family: SpecialFamily, day: date) -> dict:
    """Parents, children, others of the household, certificates, 低保, difficulties and needs."""
    sees = selectors.sight_of(user)
    parents = list(parents_of_archive(family))
    for parent in parents:
        parent.is_visible = sees(parent.resident)
    people = [parent.resident for parent in parents]
    return {
        "parents": parents,
        "children": selectors.births_of(user, people),
        "others": _others(family, people, day),
        "low_income": _low_income(family),
    }


def family_paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """The same as tables; numbers masked."""
    context = family_context(user, family, day)
    return [
        PaperTable(
            "父母",
            ("姓名", "性别", "出生日期", "公民身份号码", "民族", "婚姻状况", "电话", "独生子女证"),
            [_parent_line(parent, day) for parent in context["parents"]],
        ),
        PaperTable(
            "子女",
            ("姓名", "性别", "出生日期", "生育方式", "现状"),
            [_child_line(child) for child in context["children"]],
        ),
        PaperTable(
            "同户其他成员",
            ("姓名", "与户主关系", "性别", "年龄", "居住状态"),
            [
                (m.name, m.relation, m.sex, age_words(m.birth_date, day), m.residence)
                for m in context["others"]
            ],
        ),
        PaperTable(
            "困难、需求与低保",
            ("项目", "情况"),
            [
                ("主要困难", family.difficulties or "无"),
                ("主要需求", family.needs or "无"),
                ("低保", low_income_words(context["low_income"])),
            ],
        ),
    ]


def child_state(child: ChildRecord) -> str:
    """What became of the child, without its illness: that has a page of its own."""
    if child.death_date:
        return f"{child.death_date}去世"
    return "已去世" if child.survival == "死亡" else "存活"


def low_income_words(spell) -> str:
    """Whether the household draws 低保, and since when."""
    if spell is None:
        return "不享受"
    return f"{spell.started_on}起享受" if spell.started_on else "享受"


def reviews_context(user, family: SpecialFamily, day: date) -> dict:
    """What happened to the archive, what waits first."""
    reviews = family.reviews.select_related("decided_by", "event").order_by(
        F("decided_at").asc(nulls_first=True), "-found_on", "-pk"
    )
    return {"reviews": list(reviews)}


def reviews_paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """Every review with its decision."""
    return [
        PaperTable(
            "复核记录",
            ("发现日期", "起因", "复核情况", "处理结果", "处理说明"),
            [
                (
                    str(r.found_on), r.cause, r.finding, r.get_decision_display() or "待处理", r.note
                )
                for r in reviews_context(user, family, day)["reviews"]
            ],
        )
    ]  # fmt: skip


def _others(family: SpecialFamily, parents: list[Resident], day: date) -> list[Resident]:
    known = {one.pk for one in parents}
    members = selectors.membership_of(family.household, day).members
    return [m for m in members if m.pk not in known and m.is_registered_on(day)]


def _low_income(family: SpecialFamily):
    return family.household.low_income_spells.filter(ended_on__isnull=True).first()


def _parent_line(parent: FamilyParent, day: date) -> tuple[str, ...]:
    one = parent.resident
    age = f"（{age_on(one.birth_date, day)}岁）" if one.is_living_on(day) else "（已去世）"
    certificate = " ".join(
        filter(None, [one.only_child_cert_no, str(one.only_child_cert_date or "")])
    )
    return (
        one.name, one.sex, f"{one.birth_date}{age}",
        mask_id_number(one.id_number) if one.id_number else "", ethnic_group_word(one.ethnicity),
        one.marital, mask_phone(one.phone) if one.phone else "", certificate,
    )  # fmt: skip


def _child_line(child: ChildRecord) -> tuple[str, ...]:
    return (
        child.child_name or str(child), child.sex, str(child.birth_date), child.origin,
        child_state(child),
    )  # fmt: skip


def load() -> None:
    """Register the parts. Called once, by ready()."""
    sections.register(
        Section(
            key="family", title="家庭情况", template="households/special/_family.html",
            context=family_context, paper=family_paper, order=10,
        )
    )  # fmt: skip
    sections.register(
        Section(
            key="reviews", title="复核", template="households/special/_reviews.html",
            context=reviews_context, paper=reviews_paper, order=80,
        )
    )  # fmt: skip
