"""Archives on paper."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.models import HealthCheck
from households.special import sections
from households.special.archive_paper import cut
from households.special.sections import PaperTable
from households.views import special_print
from tests.factories.special import (
    make_archive,
    make_contact,
    make_person,
)

LIST = "households:special-family-list"

pytestmark = pytest.mark.django_db


PRINT = "households:special-family-print"


def test_paper_has_cover_contents_and_every_part_without_health(ill, clerk, sign_in):
    page = sign_in(clerk).get(reverse(PRINT, args=[ill.pk]))

    text = page.content.decode()
    (paper,) = page.context["papers"]
    assert [title for title, _ in paper.contents] == [
        "档案概况", *(one.title for one in sections.in_order())
    ]  # fmt: skip
    assert f"第{paper.total}页　共{paper.total}页" in text
    assert clerk.name in text
    assert "车祸" not in text
    assert AuditEvent.objects.filter(type="special.printed", target_id=str(ill.pk)).count() == 1
    assert not AuditEvent.objects.filter(type="special.health_viewed").exists()


def test_health_is_printed_for_a_purpose_and_recorded(ill, clerk, sign_in):
    HealthCheck.objects.create(
        family=ill, resident=ill.parents.first().resident, checked_on=date(2018, 5, 1),
        result="血压偏高", recorded_on=date(2018, 5, 1),
    )  # fmt: skip
    client = sign_in(clerk)
    address = reverse(PRINT, args=[ill.pk])

    without = client.post(address, {"health": "1", "purpose": "无"}).content.decode()
    assert "车祸" not in without
    assert "血压偏高" not in without
    printed = client.post(address, {"health": "1", "purpose": "迎接检查"}).content.decode()
    assert "车祸" in printed
    assert "血压偏高" in printed

    event = AuditEvent.objects.get(type="special.health_viewed")
    assert event.changes == {"what": "打印，迎接检查"}


def test_contact_prints_nothing(family, contact, sign_in):
    make_contact(family, make_person(family.household.village, user=contact))

    assert sign_in(contact).get(reverse(PRINT, args=[family.pk])).status_code == 403


def test_all_of_a_list_are_printed_up_to_a_limit(village, clerk, sign_in, monkeypatch):
    families = [make_archive(village) for _ in range(3)]
    client = sign_in(clerk)
    address = reverse("households:special-print")

    assert len(client.get(address).context["papers"]) == 3
    ticked = client.post(address, {"picked": [families[1].pk]})
    assert [p.family for p in ticked.context["papers"]] == [families[1]]
    monkeypatch.setattr(special_print, "MOST_FAMILIES", 2)
    assert client.get(address)["Location"] == reverse(LIST)


def test_ticked_archive_of_another_township_is_not_printed(family, far_village, clerk, sign_in):
    far = make_archive(far_village)

    page = sign_in(clerk).post(reverse("households:special-print"), {"picked": [far.pk, family.pk]})

    assert [p.family for p in page.context["papers"]] == [family]


def test_long_tables_go_on_on_the_next_sheet_and_no_heading_stands_alone():
    rows = [(str(number), "甲" * 60) for number in range(60)]
    tables = [PaperTable("一", ("序号", "内容"), rows), PaperTable("二", ("序号", "内容"), [])]

    contents, sheets = cut([("甲部分", tables), ("乙部分", [tables[1]])])

    assert [
        block.part for sheet in sheets for block in sheet.blocks if block.title == "一"
    ] == list(range(1, len(sheets) + (sheets[-1].blocks[0].title == "一")))
    assert [row for s in sheets for b in s.blocks if b.title == "一" for row in b.rows] == rows
    assert contents[0] == ("甲部分", 2)
    assert contents[1][1] == sheets[-1].number
    assert len(sheets) > 1
