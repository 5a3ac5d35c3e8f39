"""What must hold of special families: contacts end with the archive, and nobody is left without one."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q

from fpadmin import sealed
from fpadmin.invariants import Finding, register
from households.models import (
    ContactPerson,
    FamilyContact,
    FamilyDocument,
    Purpose,
    RoundVisit,
    SpecialFamily,
)
from households.special import documents

FAMILY, PERSON = SpecialFamily._meta.label_lower, ContactPerson._meta.label_lower


def contacts_after_closing(now: datetime) -> Iterator[Finding]:
    """Closed archives whose contacts go on: they would still open the archive."""
    on = FamilyContact.objects.filter(family=OuterRef("pk"), ended_on__isnull=True)
    families = SpecialFamily.objects.filter(Exists(on), closed_on__isnull=False)
    yield from _families(families, "已结案的档案{pk}还有未结束的联系人")


def without_contact(now: datetime) -> Iterator[Finding]:
    """Open archives without any current contact."""
    on = FamilyContact.objects.filter(family=OuterRef("pk"), ended_on__isnull=True)
    families = SpecialFamily.objects.filter(~Exists(on), closed_on__isnull=True)
    yield from _families(families, "档案{pk}现在没有联系人")


def left_with_families(now: datetime) -> Iterator[Finding]:
    """People who left the office and still are contacts of families."""
    on = FamilyContact.objects.filter(person=OuterRef("pk"), ended_on__isnull=True)
    people = ContactPerson.objects.filter(Exists(on), left_on__isnull=False)
    for pk, path in people.order_by("pk").values_list("pk", "region__path"):
        yield Finding(f"联系人{pk}已离岗，名下还有家庭没有交接", PERSON, pk, path)


def lost_papers(now: datetime) -> Iterator[Finding]:
    """Papers of archives whose file is not in the storage."""
    stored = sealed.names(documents.FOLDER)
    papers = FamilyDocument.objects.filter(removed_at__isnull=True).order_by("pk")
    places = papers.values_list("file", "family", "family__household__village__path")
    for file, family, path in places.iterator(chunk_size=500):
        if file not in stored:
            yield Finding(f"档案{family}有材料的文件不见了", FAMILY, family, path)


def visits_without_a_visit(now: datetime) -> Iterator[Finding]:
    """Families ticked off whose record in the log is taken back, no visit for a festival, or another's."""
    wrong = RoundVisit.objects.visited().filter(
        Q(record__voided_at__isnull=False)
        | ~Q(record__purpose=Purpose.FESTIVAL)
        | ~Q(record__contact=F("contact"))
        | ~Q(contact__family=F("family"))
    )
    places = wrong.order_by("pk").values_list("family", "family__household__village__path")
    for pk, path in places.iterator(chunk_size=500):
        yield Finding(f"档案{pk}登记了慰问，联系记录对不上", FAMILY, pk, path)


def _families(families, words: str) -> Iterator[Finding]:
    places = families.order_by("pk").values_list("pk", "household__village__path")
    for pk, path in places.iterator(chunk_size=500):
        yield Finding(words.format(pk=pk), FAMILY, pk, path)


def load() -> None:
    """Register what must hold. Called once, by ready()."""
    archive = {FAMILY: "households:special-family-detail"}
    register(
        "SPF1", "结案档案的联系人都已结束", contacts_after_closing, pages=archive,
        advice="请联系技术支持：结案时联系人应一并结束。",
    )  # fmt: skip
    register(
        "SPF2", "在管档案都有联系人", without_contact, pages=archive, warning=True,
        advice="打开档案，安排联系人。",
    )  # fmt: skip
    register(
        "SPF3", "离岗的联系人都已交接", left_with_families, warning=True,
        pages={PERSON: "households:special-person-leave"},
        advice="打开联系人，把名下的家庭逐户交接。",
    )  # fmt: skip
    register(
        "SPF4", "档案材料的文件都在", lost_papers, pages=archive,
        advice="从备份恢复文件；没有备份的，打开档案，删除这份材料后重新上传。",
    )  # fmt: skip
    register(
        "SPF5", "登记的慰问都有对应的联系记录", visits_without_a_visit, pages=archive,
        advice="打开档案，在“节日慰问”里撤回这次登记，核对后重新登记。",
    )  # fmt: skip
