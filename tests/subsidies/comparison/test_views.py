"""The desk's pages: list, both sides, verdict, end, background run, and what waits for whom."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.jobs.models import Job
from fpadmin.ui.menu import ENTRIES
from fpadmin.ui.todos import todos_for
from households.models import Resident
from subsidies.models import Difference, EnrolmentChange
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.rosters import make_difference, make_entry

DESK = reverse("subsidies:difference-list")
PROOF = "看了死亡证明，问了家属"


def dead_person(village, name="钱亡故", **values):
    person = make_resident(
        make_household(village), name, birth_date=date(1950, 3, 4), death_date=date(2017, 6, 1)
    )
    line = make_enrolment(person)
    return make_difference(person, enrolment=line, **({"policy_code": "CN-RURAL"} | values))


@pytest.fixture
def row(village):
    return dead_person(village)


def names(response) -> set[str]:
    return {record.resident.name for record in response.context["list"].table.data.data}


def test_list_shows_what_waits_and_counts_each_kind(sign_in, clerk, village, row):
    dead_person(village, "孙另一", kind="double", rule="twice")
    dead_person(village, "李已判", verdict="right", proof=PROOF, decided_by=clerk,
        decided_at="2018-10-09T09:00+08:00")  # fmt: skip
    dead_person(village, "周消除", gone_on=TODAY)
    client = sign_in(clerk)

    page = client.get(DESK)

    assert names(page) == {"钱亡故", "孙另一"}
    figures = [(figure.label, figure.number) for figure in page.context["figures"]]
    assert figures == [
        ("错（待核实）", 1), ("重（待核实）", 1), ("漏（待核实）", 0), ("我方有误待更正", 1),
        ("新名单未比对", 0),
    ]  # fmt: skip
    for figure in page.context["figures"]:
        if figure.url:
            assert client.get(figure.url).context["list"].total == figure.number


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=double", {"孙另一"}),
        ("rule=dead", {"钱亡故"}),
        ("source=公安户籍", {"吴迁走"}),
        ("source=own", {"钱亡故", "孙另一"}),
        ("policy=LOCAL-DIBAO", {"孙另一"}),
        ("owner=none", {"钱亡故", "孙另一"}),
        ("owner=me", {"吴迁走"}),
        ("state=closed", {"周消除"}),
        ("state=all", {"钱亡故", "孙另一", "吴迁走", "周消除"}),
    ],
)
def test_list_is_narrowed_by_each_condition(sign_in, clerk, village, row, query, shown):
    dead_person(village, "孙另一", kind="double", rule="twice", policy_code="LOCAL-DIBAO")
    dead_person(village, "吴迁走", rule="police_moved", owner=clerk)
    dead_person(village, "周消除", gone_on=TODAY)

    assert names(sign_in(clerk).get(f"{DESK}?{query}")) == shown


def test_list_query_count(sign_in, clerk, village, row, assert_query_count_does_not_grow):
    client = sign_in(clerk)
    client.get("/benefits/differences/")
    assert_query_count_does_not_grow(
        lambda: client.get("/benefits/differences/"),
        lambda: [dead_person(village, f"多{n}") for n in range(5)],
    )


def test_village_sees_its_own_without_sensitive_policies(
    sign_in, propagandist, village, other_village, row
):
    dead_person(other_village, "外村人")
    dead_person(village, "特扶人", policy_code="CN-SPECIAL-DEATH")
    other = make_enrolment(row.resident, "CN-SPECIAL-DEATH")
    dead_person(village, "另一份是特扶", rule="excluding", other_enrolment=other)
    client = sign_in(propagandist)

    page = client.get(DESK)

    assert names(page) == {"钱亡故"}
    assert "独生子女死亡" not in page.content.decode()
    assert ENTRIES["benefit-comparison"].count(propagandist) == 1
    hidden = Difference.objects.get(resident__name="特扶人")
    assert client.get(hidden.get_absolute_url()).status_code == 404


def test_detail_shows_both_sides_with_numbers_covered(sign_in, clerk, village, township, county):
    person = make_resident(make_household(village), "郑在世", birth_date=date(1950, 3, 4))
    entry = make_entry(township, "公安死亡注销", person, date(2018, 5, 3), "因病死亡注销")
    found = make_difference(
        person, "police_death", entry=entry, enrolment=make_enrolment(person),
        policy_code="CN-RURAL", detail="公安2018-05-03死亡注销，我方登记在世",
    )  # fmt: skip

    body = sign_in(clerk).get(found.get_absolute_url()).content.decode()

    assert person.id_number not in body
    assert f"{person.id_number[:6]}********{person.id_number[-4:]}" in body
    for words in (
        "2018-05-03　死亡注销",
        "登记在世",
        "因病死亡注销",
        "农村部分计划生育家庭奖励扶助",
    ):
        assert words in body


def test_detail_of_an_account_lists_all_nine(sign_in, clerk, village):
    rows = []
    for n in range(9):
        person = make_resident(make_household(village), f"共用{n}", birth_date=date(1950, 3, 4))
        Resident.objects.filter(pk=person.pk).update(
            bank_account="6222020000008225", bank_account_digest="nine"
        )
        rows.append(make_difference(person, "account", enrolment=make_enrolment(person)))

    body = sign_in(clerk).get(rows[0].get_absolute_url()).content.decode()

    assert all(f"共用{n}" in body for n in range(9))
    assert "6222020000008225" not in body


def test_detail_of_a_missing_person_explains_every_criterion(sign_in, clerk, village, county):
    switch_on("CN-RURAL", county)
    head, _ = make_old_couple(village)
    found = make_difference(head, "missing", policy_code="CN-RURAL", detail="符合条件，没有在册")

    page = sign_in(clerk).get(found.get_absolute_url())

    assert len(page.context["grounds"]) == 8
    assert all(one.holds for one in page.context["grounds"])


def test_detail_of_a_pair_hides_the_line_of_another_township(sign_in, clerk, village, far_village):
    there = make_resident(make_household(far_village), "远方人", birth_date=date(1950, 3, 4))
    here = make_resident(make_household(village), "本地人", birth_date=date(1950, 3, 4))
    found = make_difference(
        here, "registrations", enrolment=make_enrolment(here), other_enrolment=make_enrolment(there)
    )

    body = sign_in(clerk).get(found.get_absolute_url()).content.decode()

    assert "远方人" not in body
    assert "另一份不在您的区划" in body


def decide(client, row, **values):
    data = {"verdict": "right", "proof": PROOF, "action": ""} | values
    return client.post(reverse("subsidies:difference-decide", args=[row.pk]), data)


def test_verdict_leads_to_proposing_the_end(sign_in, clerk, row):
    client = sign_in(clerk)

    answer = decide(client, row, action="end")

    exit_url = reverse("subsidies:difference-exit", args=[row.pk])
    assert answer["Location"] == exit_url
    form = client.get(exit_url).context["form"]
    assert (form["month"].value(), form["reason"].value()) == ("2017-12", "死亡")

    answer = client.post(exit_url, {"line": "own", "month": "2017年12月", "reason": "死亡"})

    assert answer["Location"] == row.get_absolute_url()
    change = EnrolmentChange.objects.get()
    assert (change.month, change.proposed_by) == (date(2017, 12, 1), clerk)
    page = client.get(row.get_absolute_url())
    assert "已提出退出" in page.content.decode()
    assert page.context["actions"] == [("registry", "修改居民资料")]

    answer = client.post(
        reverse("subsidies:difference-mend", args=[row.pk]), {"action": "registry"}
    )
    assert answer["Location"] == reverse("households:resident-edit", args=[row.resident_id])
    row.refresh_from_db()
    assert row.action == "registry"


def test_each_action_leads_to_its_page(sign_in, clerk, village, row):
    person = row.resident
    for rule, action, url in (
        ("police_death", "event", reverse("households:resident-event", args=[person.pk, "death"])),
        ("police_moved", "event",
            reverse("households:household-event", args=[person.household_id, "move_out"])),
        ("account", "registry", reverse("households:resident-edit", args=[person.pk])),
        ("registrations", "merge", reverse("households:duplicate-list")),
        ("missing", "apply",
            reverse("subsidies:application-create", args=[person.pk]) + "?policy=CN-RURAL"),
    ):  # fmt: skip
        found = make_difference(person, rule, enrolment=row.enrolment, policy_code="CN-RURAL")
        assert decide(sign_in(clerk), found, action=action)["Location"] == url


def test_verdict_without_proof_comes_back_with_its_message(sign_in, clerk, row):
    page = decide(sign_in(clerk), row, proof="")

    assert page.status_code == 200
    assert list(page.context["form"].errors) == ["proof"]
    row.refresh_from_db()
    assert row.verdict == ""


def test_owner_in_the_village_judges_and_others_may_not(sign_in, propagandist, reviewer, row):
    client = sign_in(propagandist)
    assert decide(client, row).status_code == 403

    client.post(reverse("subsidies:difference-take", args=[row.pk]))
    row.refresh_from_db()
    assert row.owner == propagandist
    assert decide(client, row, verdict="unfounded").status_code == 302

    assert decide(sign_in(reviewer), row).status_code == 403


def test_wrong_month_comes_back_with_its_message(sign_in, clerk, row):
    client = sign_in(clerk)
    decide(client, row)
    url = reverse("subsidies:difference-exit", args=[row.pk])

    page = client.post(url, {"line": "own", "month": "2017-13", "reason": "死亡"})
    assert "不是一个年月" in page.content.decode()
    page = client.post(url, {"line": "own", "month": "2018-09", "reason": "死亡"})
    assert "month" in page.context["form"].errors
    assert not EnrolmentChange.objects.exists()


def test_many_are_handed_out_and_judged_at_once(sign_in, clerk, propagandist, village, row):
    other = dead_person(village, "孙另一")
    judged = dead_person(village, "李已判", gone_on=TODAY)
    client = sign_in(clerk)
    ticked = f"{row.pk},{other.pk},{judged.pk}"

    url = reverse("lists:act-confirm", args=["differences", "assign"])
    client.post(url, {"picked": ticked, "owner": propagandist.pk, "step": "do"})
    assert set(Difference.objects.filter(owner=propagandist)) == {row, other}

    url = reverse("lists:act-confirm", args=["differences", "judge"])
    client.post(url, {"picked": ticked, "verdict": "same", "proof": "逐人见面核实", "step": "do"})
    assert set(Difference.objects.filter(verdict="same")) == {row, other}


def test_button_starts_one_job_for_the_office(sign_in, clerk, row, run_jobs_now, couple, township):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    client = sign_in(clerk)
    for _ in range(2):
        client.post(reverse("subsidies:comparison-run"))
    job = Job.objects.get(kind="compare-rosters")

    run_jobs_now()

    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    assert job.result["new"] == 2  # by the police's list, and of our own records
    assert set(Difference.objects.open().values_list("rule", flat=True)) == {"police_death", "dead"}


def waiting(user) -> dict[str, int]:
    return {todo.label: todo.count for todo in todos_for(user, TODAY) if "比对" in todo.label}


def test_home_page_tells_each_what_waits(clerk, propagandist, reviewer, township, village, row):
    make_entry(township, "公安死亡注销", None)
    assert waiting(clerk) == {"比对差异未分派": 1, "新名单未比对": 1}

    Difference.objects.update(owner=propagandist)

    assert waiting(clerk) == {"新名单未比对": 1}
    assert waiting(propagandist) == {"比对差异待核实": 1}
    assert waiting(reviewer) == {}
