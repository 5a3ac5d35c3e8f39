"""What the nightly check found reaches who can mend it, with the page that mends it."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from fpadmin import invariants
from fpadmin.audit.log import SystemJob
from fpadmin.invariants import Finding, Invariant
from fpadmin.jobs.models import Job
from fpadmin.jobs.services import check_invariants
from fpadmin.selfcheck.models import OpenFinding
from fpadmin.ui import todos
from households.models import Resident
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.households import make_household, make_resident

NOW = datetime(2018, 10, 9, 4, 0, tzinfo=UTC)
LIST = "selfcheck:finding-list"
RULES = "selfcheck:rule-list"
pytestmark = pytest.mark.django_db


def check(now=NOW):
    return check_invariants(now=now, by=SystemJob("测试"))


@pytest.fixture
def wife(village):
    """Somebody whose state has left her spell."""
    home = make_household(village)
    make_resident(home, "段光超")
    wife = make_resident(home, "李秀芳", sex="女", relation="配偶")
    Resident.objects.filter(pk=wife.pk).update(hukou="非农业")
    return wife


@pytest.fixture
def stranger(far_village):
    stranger = make_resident(make_household(far_village), "远处人")
    Resident.objects.filter(pk=stranger.pk).update(hukou="非农业")
    return stranger


def text_of(response) -> str:
    return re.sub(r"<[^>]+>", " ", response.content.decode())


def test_finding_names_its_record_and_place(wife, village):
    check()
    found = OpenFinding.objects.get()
    assert (found.rule, found.target, found.target_id) == (
        "REG1", "households.resident", str(wife.pk)
    )  # fmt: skip
    assert found.region_path == village.path
    assert found.text == f"居民{wife.pk}的现状与在册经历不一致"


def test_finding_keeps_its_first_day_and_goes_once_mended(wife, stranger):
    check()
    Resident.objects.filter(pk=stranger.pk).update(hukou="农业")
    check(NOW + timedelta(days=1))
    found = OpenFinding.objects.get()
    assert (found.first_seen_at, found.seen_at) == (NOW, NOW + timedelta(days=1))
    Resident.objects.filter(pk=wife.pk).update(hukou="农业")
    check(NOW + timedelta(days=2))
    assert not OpenFinding.objects.exists()


def test_only_the_first_thousand_of_a_rule_are_kept(monkeypatch, village):
    many = Invariant("TEST", "样样齐全", lambda now: (f"第{n}件" for n in range(1_200)))
    monkeypatch.setattr(invariants, "INVARIANTS", {"TEST": many})
    (result,) = check()
    assert (result.count, OpenFinding.objects.count()) == (1_200, invariants.MOST_KEPT)


def test_database_keeps_a_finding_once():
    row = {"rule": "REG1", "text": "居民1", "first_seen_at": NOW, "seen_at": NOW}
    OpenFinding.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        OpenFinding.objects.create(**row)


def test_clerk_sees_the_own_region_with_name_advice_and_link(clerk, wife, stranger, sign_in):
    check()
    response = sign_in(clerk).get(reverse(LIST))
    page = text_of(response)
    assert "李秀芳" in page
    assert "更正登记错误" in page
    assert "远处人" not in page
    assert f'href="{reverse("households:resident-edit", args=[wife.pk])}"' in (
        response.content.decode()
    )


def test_clerk_filters_by_rule_and_village(clerk, wife, other_village, sign_in):
    headless = make_household(other_village)
    make_resident(headless, "没户主", relation="其他")
    check()
    client = sign_in(clerk)
    by_rule = text_of(client.get(reverse(LIST), {"rule": "REG12"}))
    assert headless.number in by_rule
    assert "李秀芳" not in by_rule
    by_village = text_of(client.get(reverse(LIST), {"village": wife.village_id}))
    assert "李秀芳" in by_village
    assert headless.number not in by_village


def test_finding_without_a_place_or_page_is_no_clerks_work(
    clerk, administrator, sign_in, monkeypatch
):
    whole = Invariant("TEST", "样样齐全", lambda now: ["审计记录7起，链条不符"])
    here = Invariant(
        "TEST2", "各村相加", lambda now: [Finding("相加不等", region_path=clerk.region.path)]
    )
    monkeypatch.setattr(invariants, "INVARIANTS", {"TEST": whole, "TEST2": here})
    for module in ("presenters", "filters", "tables"):
        monkeypatch.setattr(f"fpadmin.selfcheck.{module}.INVARIANTS", invariants.INVARIANTS)
    check()
    page = text_of(sign_in(clerk).get(reverse(LIST)))
    assert "相加不等" in page
    assert "链条不符" not in page
    assert "去处理" not in page
    assert re.search(
        r"样样齐全\s+TEST\s+异常\s+1", text_of(sign_in(administrator).get(reverse(RULES)))
    )


def test_administrator_sees_counts_of_the_own_region_and_no_names(
    administrator, wife, stranger, other_village, sign_in
):
    make_resident(make_household(other_village), "没户主", relation="其他")
    check()
    client = sign_in(administrator)
    page = text_of(client.get(reverse(RULES)))
    assert re.search(r"居民现状等于在册经历的最后一段\s+REG1\s+异常\s+2\s+2018-10-09", page)
    assert re.search(r"有成员的家庭有户主\s+REG12\s+提醒\s+1", page)
    assert re.search(r"同一人的在册经历互不重叠\s+REG2\s+正常\s+0\s+—", page)
    for name in ("李秀芳", "远处人", "没户主"):
        assert name not in page
    assert client.get(reverse(LIST)).status_code == 403


def test_only_clerks_see_findings(reviewer, propagandist, county, sign_in):
    for user in (reviewer, propagandist, make_user("county", county)):
        client = sign_in(user)
        assert client.get(reverse(LIST)).status_code == 403
        assert client.get(reverse(RULES)).status_code == 403


def test_clerks_work_counts_the_own_findings(clerk, wife, stranger):
    check()
    found = [(t.count, t.url) for t in todos.todos_for(clerk, TODAY) if "自检" in t.label]
    assert found == [(1, reverse(LIST))]


def test_list_costs_the_same_for_many(
    clerk, administrator, wife, village, sign_in, assert_query_count_does_not_grow
):
    client, keeper = sign_in(clerk), sign_in(administrator)

    def grow():
        home = make_household(village)
        for number in range(6):
            make_resident(home, f"成员{number}", relation="其他")
        Resident.objects.filter(household=home).update(hukou="非农业")
        check(NOW + timedelta(hours=1))

    # One finding is of a household from the start, so that both kinds of names are asked for.
    make_resident(make_household(village), "没户主", relation="其他")
    check()

    def look():
        assert client.get(reverse(LIST)).status_code == 200
        assert keeper.get(reverse(RULES)).status_code == 200

    assert_query_count_does_not_grow(look, grow)


def test_command_says_which_page_mends_it(wife, time_machine):
    time_machine.move_to(NOW, tick=False)
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_invariants", stdout=out)
    assert end.value.code == 1
    page = reverse("households:resident-edit", args=[wife.pk])
    assert f"    居民{wife.pk}的现状与在册经历不一致　{page}\n" in out.getvalue()


def test_warning_is_told_and_breaks_nothing(village, time_machine):
    time_machine.move_to(NOW, tick=False)
    make_resident(make_household(village), "没户主", relation="其他")
    out = StringIO()
    call_command("check_invariants", stdout=out)
    assert "提醒 REG12 有成员的家庭有户主" in out.getvalue()


def test_page_says_when_the_data_were_checked_and_when_never(clerk, administrator, sign_in):
    assert "还没有核对过" in sign_in(clerk).get(reverse(LIST)).content.decode()
    assert "未核对" in sign_in(administrator).get(reverse(RULES)).content.decode()
    Job.objects.create(
        kind="check-invariants", key="x", title="核对数据", state=Job.State.FAILED,
        finished_at=datetime(2018, 10, 9, 1, 30, tzinfo=UTC),
    )  # fmt: skip
    assert "最近核对于2018-10-09 09:30" in sign_in(clerk).get(reverse(LIST)).content.decode()
    assert "未核对" not in sign_in(administrator).get(reverse(RULES)).content.decode()
