"""The pages of care: registers and their files, the parts of an archive, forms as each role sees them."""

from datetime import date, timedelta

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.exports import runs
from fpadmin.ui.listing import LISTS, Asked
from fpadmin.ui.listing import rows_of as listed
from households.models import (
    AidReceived,
    Anniversary,
    DoctorContract,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityService,
)
from households.special import benefits, care_lists, care_sections, sections
from households.special.benefits import BenefitRow
from tests.conftest import TODAY
from tests.factories.special import make_archive, make_contact, make_person
from tests.factories.special_care import (
    make_aid,
    make_anniversary,
    make_card,
    make_check,
    make_doctor_contract,
    make_insurance,
    make_priority,
    parent_of,
)

CARDS = "households:special-care"
PRIORITIES = "households:special-care-priority-list"
CHECKS = "households:special-care-check-list"
CONTRACTS = "households:special-care-contract-list"
INSURANCES = "households:special-care-insurance-list"
AIDS = "households:special-care-aid-list"
REGISTERS = [CARDS, PRIORITIES, CHECKS, CONTRACTS, INSURANCES, AIDS]
RESULT = "血压偏高"

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(village):
    return make_archive(village)


@pytest.fixture
def contact(family, propagandist):
    make_contact(family, make_person(family.household.village, user=propagandist))
    return propagandist


def fill(family) -> None:
    """One row of every register."""
    make_card(family)
    make_priority(family)
    make_check(family, result=RESULT)
    make_doctor_contract(family)
    make_insurance(family)
    make_aid(family)
    make_anniversary(family)


def shown(client, name, **conditions):
    page = client.get(reverse(name), conditions)
    return [row.record for row in page.context["list"].table.rows]


def file_of(user, key, columns, query="", *, clear=False) -> list[tuple]:
    spec, asked = LISTS[key], Asked(user, QueryDict(query), {}, TODAY)
    chosen = [spec.column(name) for name in columns]
    return [
        row
        for chunk in runs.cells(listed(spec, asked), chosen, clear=clear, day=TODAY)
        for row in chunk
    ]


# Registers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGISTERS)
def test_register_shows_the_township_and_nobody_else(
    clerk, other_clerk, family, far_village, sign_in, name
):
    fill(family)
    far = make_archive(far_village)
    fill(far)
    assert {row.family_id for row in shown(sign_in(clerk), name)} == {family.pk}
    assert {row.family_id for row in shown(sign_in(other_clerk), name)} == {far.pk}


@pytest.mark.parametrize("name", REGISTERS)
def test_register_is_for_the_keepers_of_archives(contact, reviewer, county_user, sign_in, name):
    assert sign_in(contact).get(reverse(name)).status_code == 403
    assert sign_in(county_user).get(reverse(name)).status_code == 403
    assert sign_in(reviewer).get(reverse(name)).status_code == 200


def test_registers_cost_the_same_for_many_rows(
    clerk, family, village, sign_in, assert_query_count_does_not_grow
):
    fill(family)
    client = sign_in(clerk)

    def grow():
        for _ in range(4):
            fill(make_archive(village))

    def look():
        for name in (
            "households:special-care",
            "households:special-care-priority-list",
            "households:special-care-check-list",
            "households:special-care-contract-list",
            "households:special-care-insurance-list",
            "households:special-care-aid-list",
        ):
            assert client.get(reverse(name)).status_code == 200

    assert_query_count_does_not_grow(look, grow)


def test_cards_by_state_year_and_village(clerk, family, other_village, sign_in):
    client = sign_in(clerk)
    valid = make_card(family, expires_on=None)
    soon = make_card(family, expires_on=TODAY + timedelta(days=30))
    over = make_card(family, expires_on=TODAY - timedelta(days=1))
    last_year = make_card(family, issued_on=date(2017, 3, 1), ended_on=TODAY)
    elsewhere = make_card(make_archive(other_village))
    assert shown(client, CARDS, state="soon") == [soon]
    assert shown(client, CARDS, state="over") == [over]
    assert shown(client, CARDS, state="ended", year="2017") == [last_year]
    assert set(shown(client, CARDS, state="valid")) == {valid, elsewhere}
    assert shown(client, CARDS, village=other_village.pk) == [elsewhere]


def test_figures_by_hospital_open_their_lists(clerk, family, sign_in):
    client = sign_in(clerk)
    make_priority(family, kind="挂号", hospital="甲医院")
    make_priority(family, kind="挂号", hospital="甲医院", used_on=date(2018, 6, 1))
    make_priority(family, kind="取药", hospital="乙医院")
    make_priority(family, kind="取药", hospital="乙医院", used_on=date(2017, 6, 1))
    page = client.get(reverse(PRIORITIES), {"since": "2018-01-01", "hospital": "乙医院"})
    lines = {line.hospital: line.cells for line in page.context["lines"]}
    assert [count for count, _ in lines["甲医院"]] == [2, 0, 0, 0, 0, 0, 2]
    assert [count for count, _ in lines["乙医院"]] == [0, 0, 0, 1, 0, 0, 1]
    assert [count for count, _ in lines[""]] == [2, 0, 0, 1, 0, 0, 3]
    for cells in lines.values():
        for count, url in cells:
            found = client.get(reverse(PRIORITIES) + url)
            assert found.context["list"].total == count


def test_checks_of_a_year_are_done_or_due(clerk, family, sign_in):
    client = sign_in(clerk)
    husband, wife = family.parents.order_by("pk")
    make_check(family, date(2018, 3, 1), husband.resident)
    make_check(family, date(2018, 5, 1), husband.resident, hospital="后一次")
    make_check(family, date(2017, 5, 1), wife.resident)
    assert shown(client, CHECKS, state="done") == [husband]
    assert shown(client, CHECKS, state="due") == [wife]
    assert [(row.checked_on, row.hospital) for row in shown(client, CHECKS, state="done")] == [
        (date(2018, 5, 1), "后一次")
    ]
    assert shown(client, CHECKS, year="2019") == []
    wife.resident.death_date = TODAY
    wife.resident.save(update_fields=["death_date"])
    assert shown(client, CHECKS, state="due") == []


def test_checks_of_a_past_year_are_of_the_archives_of_then(clerk, village, sign_in):
    family = make_archive(village, opened_on=date(2017, 5, 1))
    make_archive(village)  # opened in 2018
    husband, wife = family.parents.order_by("pk")
    make_check(family, date(2017, 8, 1), wife.resident)
    client = sign_in(clerk)
    assert shown(client, CHECKS, year="2017", state="done") == [wife]
    assert shown(client, CHECKS, year="2017", state="due") == [husband]


def test_contracts_in_force_expiring_and_none(clerk, family, sign_in):
    client = sign_in(clerk)
    husband, wife = family.parents.order_by("pk")
    assert set(shown(client, CONTRACTS, state="none")) == {husband, wife}
    make_doctor_contract(family, resident=husband.resident)
    make_doctor_contract(family, resident=wife.resident, until=TODAY + timedelta(days=30))
    assert shown(client, CONTRACTS, state="valid") == [husband]
    assert shown(client, CONTRACTS, state="soon") == [wife]
    assert shown(client, CONTRACTS, year="2018") == [husband, wife]
    assert shown(client, CONTRACTS, year="2017") == []
    DoctorContract.objects.filter(resident=wife.resident).update(ended_on=TODAY)
    assert shown(client, CONTRACTS, state="none") == [wife]


def test_many_checks_are_recorded_from_the_list(clerk, family, village, sign_in):
    client = sign_in(clerk)
    make_archive(village)
    husband, wife = family.parents.order_by("pk")
    make_check(family, TODAY, husband.resident)
    url = reverse("lists:act-confirm", args=[care_lists.CHECKS, "record"])
    ticks = {"picked": f"{husband.pk},{wife.pk}"}
    page = client.post(url, ticks | {"step": "check", "checked_on": "2018-10-10", "hospital": "x"})
    assert "在今天（2018-10-09）之后" in page.content.decode()
    values = ticks | {"checked_on": "2018-10-09", "hospital": "街道卫生院"}
    page = client.post(url, values | {"step": "check"}).content.decode()
    assert "2018-10-09的体检已经登记" in page
    assert HealthCheck.objects.count() == 1
    client.post(url, values | {"step": "do"})
    assert HealthCheck.objects.get(resident=wife.resident).hospital == "街道卫生院"
    assert HealthCheck.objects.count() == 2
    assert AuditEvent.objects.filter(type="special.check_recorded").count() == 1


# Files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REGISTERS)
def test_file_says_what_the_page_says(clerk, family, sign_in, name):
    fill(family)
    key = next(tab.key for tab in care_lists.TABS if tab.url_name == name)
    spec = LISTS[key]
    rows = file_of(clerk, key, [column.key for column in spec.columns])
    assert len(rows) == len(shown(sign_in(clerk), name))
    assert rows[0][0] in ("戴飞飞、董丽怡", "戴飞飞")
    assert rows[0][1:3] == ("庄科村", family.household.number)


def test_results_of_checks_stay_out_of_lists_and_masked_files(clerk, family, sign_in):
    make_check(family, result=RESULT)
    client = sign_in(clerk)
    choice = reverse("lists:column-choice", args=[care_lists.CHECKS])
    keys = [column.key for column in care_lists.CHECK_COLUMNS]
    client.post(choice, {"column": keys})
    page = client.get(reverse(CHECKS)).content.decode()
    assert "已登记" in page
    assert RESULT not in page
    assert file_of(clerk, care_lists.CHECKS, ["resident", "result"])[0] == ("戴飞飞", "已登记")
    whole = file_of(clerk, care_lists.CHECKS, ["result"], clear=True)
    assert whole[0] == (RESULT,)
    assert LISTS[care_lists.CHECKS].column("result").sensitive == "health"


def test_who_may_not_see_health_gets_no_result_in_any_file(reviewer, family, monkeypatch):
    make_check(family, result=RESULT)
    may = type(reviewer).may
    monkeypatch.setattr(
        type(reviewer), "may", lambda user, what: what != "special_health" and may(user, what)
    )
    assert file_of(reviewer, care_lists.CHECKS, ["result"], clear=True)[0] == ("",)


# Archive ----------------------------------------------------------------------------------------


def test_archive_shows_care_without_results_and_its_acts_to_the_clerk(clerk, family, sign_in):
    fill(family)
    page = sign_in(clerk).get(family.get_absolute_url()).content.decode()
    for words in ("就医卡", "六优先使用", "年度体检", "家庭医生签约", "住院护理保险", "小飞的生日"):
        assert words in page
    assert RESULT not in page
    assert reverse("households:special-care-create", args=[family.pk, "card"]) in page
    card = MedicalCard.objects.get()
    for act in ("end", "replace"):
        assert reverse(f"households:special-care-card-{act}", args=[card.pk]) in page


def test_contact_sees_cards_and_may_record_a_use_only(contact, family, sign_in):
    fill(family)
    client = sign_in(contact)
    page = client.get(family.get_absolute_url()).content.decode()
    assert MedicalCard.objects.get().number in page
    assert reverse("households:special-care-priority-create", args=[family.pk]) in page
    assert reverse("households:special-care-create", args=[family.pk, "card"]) not in page
    add = reverse("households:special-care-create", args=[family.pk, "card"])
    assert client.get(add).status_code == 403
    use = {"kind": "就诊", "hospital": "市医院", "used_on": "2018-10-08"}
    add = reverse("households:special-care-priority-create", args=[family.pk])
    assert client.post(add, use).status_code == 302
    assert PriorityService.objects.get(used_on=date(2018, 10, 8)).recorded_by == contact


def test_contact_of_another_family_finds_nothing(contact, village, sign_in):
    other = make_archive(village)
    use = make_priority(other)
    client = sign_in(contact)
    for name, pk in (
        ("households:special-care-priority-create", other.pk),
        ("households:special-care-priority-edit", use.pk),
    ):
        assert client.get(reverse(name, args=[pk])).status_code == 404


def test_closed_archive_takes_nothing_new(clerk, family, sign_in):
    family.closed_on, family.close_reason = TODAY, "other"
    family.save(update_fields=["closed_on", "close_reason"])
    page = sign_in(clerk).get(family.get_absolute_url()).content.decode()
    assert reverse("households:special-care-create", args=[family.pk, "card"]) not in page


def test_archive_costs_the_same_for_many_rows(clerk, family, assert_query_count_does_not_grow):
    def look():
        for key in ("cards", "priority", "checks", "contracts", "insurance", "aids"):
            sections.SECTIONS[key].context(clerk, family, TODAY)

    make_card(family, resident=parent_of(family))
    fill(family)

    def grow():
        for day in range(1, 5):
            make_card(family, resident=parent_of(family))
            make_priority(family, resident=parent_of(family))
            make_check(family, date(2018, 4, day))
            make_doctor_contract(family, date(2014, 4, day), until=date(2014, 4, day))
            make_insurance(family)
            make_aid(family, resident=parent_of(family))

    assert_query_count_does_not_grow(look, grow)


def test_paper_has_every_table_with_its_headings(clerk, family, monkeypatch):
    monkeypatch.setattr(benefits, "SOURCES", {})
    benefits.register(
        "subsidies", lambda family, day: [BenefitRow("特别扶助金", date(2018, 1, 1), amount=450)]
    )
    fill(family)
    for key in ("cards", "priority", "checks", "contracts", "insurance", "aids", "anniversaries"):
        (table,) = sections.SECTIONS[key].paper(clerk, family, TODAY)
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.headings)}
        assert RESULT not in str(table.rows)
    (table,) = sections.SECTIONS["aids"].paper(clerk, family, TODAY)
    assert ("特别扶助金", "2018-01-01至今", "450.00", "—", "—") in table.rows


def test_archive_names_who_has_no_check_and_no_doctor(clerk, family):
    make_check(family)
    make_doctor_contract(family)
    table = care_sections.checks(clerk, family, TODAY)
    assert table.hint == "2018年还没有体检：董丽怡"
    assert care_sections.contracts(clerk, family, TODAY).hint == "没有签约：董丽怡"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"expires_on": TODAY}, "今天到期"),
        ({"expires_on": TODAY + timedelta(days=30)}, "30天后到期"),
        ({"expires_on": TODAY + timedelta(days=31)}, "有效"),
        ({"expires_on": TODAY - timedelta(days=1)}, "已过期"),
        ({"ended_on": TODAY, "end_reason": "遗失"}, "已停用　2018-10-09　遗失"),
    ],
)
def test_state_of_a_card_in_words(clerk, family, values, words):
    make_card(family, **values)
    (line,) = care_sections.cards(clerk, family, TODAY).lines
    assert f"{line.tag[1]}　{line.note}".strip() == words


def test_health_page_shows_what_checks_found(reviewer, family, sign_in):
    make_check(family, result=RESULT)
    client = sign_in(reviewer)
    url = reverse("households:special-family-health", args=[family.pk])
    assert RESULT not in client.get(url).content.decode()
    purpose = client.get(url).context["form"].fields["purpose"].choices[-1][0]
    assert RESULT in client.post(url, {"purpose": purpose}).content.decode()


# Forms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "model", "values"),
    [
        ("card", MedicalCard, {"number": "Ａ 12", "issued_on": "20180901"}),
        ("check", HealthCheck, {"checked_on": "2018-09-01", "result": RESULT}),
        (
            "contract",
            DoctorContract,
            {
                "institution": "卫生院", "doctor": "林霞丹", "signed_on": "2018年9月1日",
                "until": "2019-08-31",
            },
        ),
        ("insurance", NursingInsurance, {"insurer": "人寿", "ends_on": "2019-08-31"}),
        ("aid", AidReceived, {"name": "临时救助", "received_on": "2018-09-01", "amount": "500"}),
        ("anniversary", Anniversary, {"title": "生日", "month": "2", "day": "29"}),
    ],
)  # fmt: skip
def test_clerk_types_a_row_and_corrects_it(clerk, family, sign_in, kind, model, values):
    client = sign_in(clerk)
    values = values | {"resident": parent_of(family).pk}
    add = reverse("households:special-care-create", args=[family.pk, kind])
    assert client.get(add).status_code == 200
    answer = client.post(add, values)
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"].startswith(family.get_absolute_url() + "#")
    row = model.objects.get()
    if kind == "card":
        assert row.number == "A12"
    edit = reverse("households:special-care-edit", args=[kind, row.pk])
    page = client.get(edit).content.decode()
    assert RESULT not in page
    again = {k: v for k, v in values.items() if k != "result"}
    answer = client.post(edit, again)
    assert answer.status_code == 302
    if kind == "check":
        row.refresh_from_db()
        assert row.result == RESULT


def test_refusal_of_the_service_stands_at_its_field(clerk, family, sign_in):
    add = reverse("households:special-care-create", args=[family.pk, "card"])
    page = sign_in(clerk).post(add, {"number": "A1", "issued_on": "2018-10-10"})
    assert page.status_code == 200
    assert page.context["form"].errors["issued_on"] == ["发卡日期不能晚于今天。"]


def test_stored_result_is_cleared_by_the_word_only(clerk, family, sign_in):
    check = make_check(family, result=RESULT)
    edit = reverse("households:special-care-edit", args=["check", check.pk])
    values = {"resident": check.resident_id, "checked_on": "2018-05-06"}
    client = sign_in(clerk)
    client.post(edit, values | {"result": "清空"})
    check.refresh_from_db()
    assert check.result == ""


@pytest.mark.parametrize(
    ("name", "make", "values"),
    [
        ("card-end", make_card, {"ended_on": "2018-10-09", "reason": "遗失"}),
        ("card-replace", make_card, {"number": "A2", "day": "2018-10-09"}),
        ("contract-end", make_doctor_contract, {"ended_on": "2018-10-09"}),
    ],
)
def test_clerk_ends_and_replaces(clerk, family, sign_in, name, make, values):
    row = make(family)
    url = reverse(f"households:special-care-{name}", args=[row.pk])
    client = sign_in(clerk)
    ahead = {k: "2018-10-10" if k in ("ended_on", "day") else v for k, v in values.items()}
    assert "不能晚于今天" in client.post(url, ahead).content.decode()
    assert client.post(url, values).status_code == 302
    row.refresh_from_db()
    assert row.ended_on == TODAY


def test_clerk_removes_a_row_with_a_reason(clerk, family, sign_in):
    row = make_aid(family)
    url = reverse("households:special-care-remove", args=["aid", row.pk])
    client = sign_in(clerk)
    assert "请选择删除原因" in client.post(url, {}).content.decode()
    assert client.post(url, {"reason": "mistake"}).status_code == 302
    assert not AidReceived.objects.exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("create", "priority"), ("create", "nothing"), ("remove", "card"), ("edit", "priority")],
)
def test_unknown_tables_are_not_found(clerk, family, sign_in, name, kind):
    pk = make_card(family).pk
    args = [family.pk, kind] if name == "create" else [kind, pk]
    url = reverse(f"households:special-care-{name}", args=args)
    assert sign_in(clerk).get(url).status_code == 404
