"""Locked months of the ledger: what is frozen, what stands as 补报, who may, and opening again."""

import re
from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.reporting import sheets
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import RETURNS, Span
from fpadmin.reporting.services import make_return
from households import services
from households.ledger import CLASSES, COLUMNS, code_of, compute_ledger
from households.ledger_lists import people_of_ledger
from households.ledger_locks import counting_note
from households.models import LedgerEntry, LedgerLock, LedgerMember, Residency, Resident
from tests.factories.accounts import make_user
from tests.factories.households import make_birth, make_household, make_resident
from tests.households.test_ledger import balanced

TODAY = date(2018, 10, 9)
AUGUST = Span(date(2018, 8, 1), date(2018, 8, 31))
SEPTEMBER = Span(date(2018, 9, 1), date(2018, 9, 30))
OCTOBER = Span(date(2018, 10, 1), date(2018, 10, 31))
pytestmark = pytest.mark.django_db


@pytest.fixture
def people(village, other_village):
    """Four people of the first village and one of the other; the second is a mother."""
    home, other = make_household(village), make_household(other_village)
    return [
        make_resident(home, "张一"),
        make_resident(home, "王二", sex="女", relation="配偶"),
        make_resident(home, "张三", relation="子", hukou="非农业"),
        make_resident(home, "张四", relation="子", residence="流入"),
        make_resident(other, "李五"),
    ]


@pytest.fixture
def lock(township, clerk, reviewer):
    """lock("2018-08") has the clerk make the month and the reviewer lock it."""

    def locked(period, today=TODAY):
        make_return(code="population-ledger", region=township, period=period, by=clerk, today=today)
        return services.lock_month(by=reviewer, township=township, period=period, today=today)

    return locked


def move_out(clerk, person, day):
    return services.record_event(
        by=clerk, kind="move_out", values={"members": [person], "relations": {}}, happened_on=day,
        today=TODAY, confirmed=True,
    )  # fmt: skip


def ledger(region, span):
    return compute_ledger([region], span)[region.code]


def shown(row):
    return {c: row[code_of(c)] for c in COLUMNS if row[code_of(c)]}


def names(column, region, span, key="all"):
    return [
        (r.name, r.facts.get("原因")) for r in people_of_ledger(code_of(column, key), region, span)
    ]


def test_late_event_leaves_the_locked_month_and_counts_as_late_in_the_next(
    people, village, township, clerk, lock
):
    lock("2018-08")
    before = compute_ledger([township, village], AUGUST)

    move_out(clerk, people[2], date(2018, 8, 20))

    assert compute_ledger([township, village], AUGUST) == before
    assert shown(ledger(village, SEPTEMBER)) == {"opening": 4, "late_losses": 1, "closing": 3}
    assert ledger(village, SEPTEMBER)[code_of("late_losses", "urban")] == 1
    assert names("late_losses", village, SEPTEMBER) == [("张三", "补报迁出")]
    assert names("late_losses", village, SEPTEMBER, "farming") == []
    assert len(names("opening", village, SEPTEMBER)) == 4
    assert ledger(village, OCTOBER)[code_of("opening")] == 3
    for key in CLASSES:
        row = ledger(township, SEPTEMBER)
        assert row[code_of("closing", key)] == balanced(row, key)


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ("undo", "late_additions", "撤销迁出"),
        ("register", "late_additions", "补登记"),
        ("correct", "late_losses", "更正"),
        ("die", "late_losses", "更正"),
    ],
)
def test_late_report_says_what_was_done(change, column, reason, people, village, clerk, lock):
    gone = move_out(clerk, people[3], date(2018, 8, 3)) if change == "undo" else None
    lock("2018-08")
    if change == "undo":
        services.undo_event(by=clerk, event=gone, today=TODAY, reason="登记错了")
    elif change == "register":
        make_resident(people[0].household, "张五", relation="子")
    elif change == "correct":
        Residency.objects.filter(resident=people[3]).update(started_on=date(2018, 9, 5))
    else:
        Resident.objects.filter(pk=people[3].pk).update(death_date=date(2018, 8, 9))
    found = [r for _, r in names(column, village, SEPTEMBER)]
    assert found == [reason]
    row = ledger(village, SEPTEMBER)
    assert row[code_of("closing")] == balanced(row, "all")


def test_hukou_corrected_late_is_late_in_both_classes_and_not_in_the_whole(people, village, lock):
    lock("2018-08")
    Residency.objects.filter(resident=people[0]).update(hukou="非农业")
    row = ledger(village, SEPTEMBER)
    assert shown(row) == {"opening": 4, "closing": 4}
    assert row[code_of("late_losses", "farming")] == row[code_of("late_additions", "urban")] == 1
    assert row[code_of("opening", "urban")] == 1
    assert row[code_of("closing", "urban")] == 2


def test_locked_lists_stay_as_they_were(people, village, township, clerk, lock):
    make_birth(people[1], date(2018, 8, 5), child_name="张小")
    move_out(clerk, people[3], date(2018, 8, 20))
    lock("2018-08")
    kept = {c: names(c, township, AUGUST) for c in COLUMNS}
    Resident.objects.filter(pk=people[0].pk).update(death_date=date(2018, 8, 2))
    assert {c: names(c, township, AUGUST) for c in COLUMNS} == kept
    assert kept["moved_out"] == [("张四", "迁出")]
    assert kept["births"] == [("张小", None)]
    assert kept["other_losses"] == [("张小", "出生后尚未登记为居民")]
    assert len(kept["closing"]) == 4
    figures = ledger(township, AUGUST)
    for column, found in kept.items():
        assert len(found) == figures[code_of(column)]


def test_next_lock_opens_with_the_frozen_closing_and_keeps_the_late_list(
    people, village, clerk, lock
):
    lock("2018-08")
    move_out(clerk, people[2], date(2018, 8, 20))
    lock("2018-09")
    services.record_event(
        by=clerk, kind="hukou_change", values={"members": [people[0]], "hukou": "非农业"},
        happened_on=date(2018, 9, 3), today=TODAY,
    )  # fmt: skip
    assert shown(ledger(village, SEPTEMBER)) == {"opening": 4, "late_losses": 1, "closing": 3}
    assert names("late_losses", village, SEPTEMBER) == [("张三", "补报迁出")]
    row = ledger(village, OCTOBER)
    assert shown(row) == {"opening": 3, "closing": 3}
    assert row[code_of("late_additions", "urban")] == 1
    assert names("late_additions", village, OCTOBER, "urban") == [("张一", "补报户口变更")]


def test_people_counted_alike_have_one_row(people, township, clerk, lock):
    lock("2018-08")
    assert LedgerMember.objects.count() == 5
    move_out(clerk, people[2], date(2018, 9, 20))
    lock("2018-09")
    assert LedgerMember.objects.count() == 5
    (ended,) = LedgerMember.objects.filter(until__isnull=False)
    assert (ended.resident, ended.until) == (people[2], date(2018, 9, 30))


def test_making_a_locked_month_again_gives_the_locked_version(people, township, clerk, lock):
    locked = lock("2018-08")
    move_out(clerk, people[2], date(2018, 8, 20))
    made = make_return(
        code="population-ledger", region=township, period="2018-08", by=clerk, today=TODAY
    )
    assert made == (locked.version, False)
    assert (
        RETURNS["population-ledger"]
        .frozen(township, sheets.period_of(RETURNS["population-ledger"], "2018-08"))
        .version
        == locked.version
    )


def test_lock_is_recorded_and_so_is_unlock(people, township, county_user, reviewer, lock):
    locked = lock("2018-08")
    services.unlock_month(by=county_user, lock=locked, reason="漏报较多")
    types = AuditEvent.objects.filter(type__startswith="ledger.").order_by("pk")
    assert [(e.type, e.changes["period"]) for e in types] == [
        ("ledger.locked", "2018-08"),
        ("ledger.unlocked", "2018-08"),
    ]
    locked.refresh_from_db()
    assert locked.unlock_reason == "漏报较多"


def test_unlock_brings_back_the_month_before_and_lets_the_month_follow_again(
    people, village, clerk, county_user, lock
):
    lock("2018-08")
    second = lock("2018-09")
    move_out(clerk, people[2], date(2018, 8, 20))
    services.unlock_month(by=county_user, lock=second, reason="漏报")
    assert shown(ledger(village, SEPTEMBER)) == {"opening": 4, "late_losses": 1, "closing": 3}
    lock("2018-09")
    assert shown(ledger(village, SEPTEMBER)) == {"opening": 4, "late_losses": 1, "closing": 3}


def test_unlocking_the_first_month_leaves_nothing_behind(people, village, clerk, county_user, lock):
    services.unlock_month(by=county_user, lock=lock("2018-08"), reason="漏报")
    move_out(clerk, people[2], date(2018, 8, 20))
    assert not LedgerMember.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert shown(ledger(village, AUGUST)) == {"opening": 4, "moved_out": 1, "closing": 3}


class TestRefusals:
    def refused(self, words, act, *args, **kwargs):
        with pytest.raises(RuleViolation, match=words):
            act(*args, **kwargs)

    def test_month_that_is_not_over(self, people, lock):
        self.refused("还没有过完", lock, "2018-10")

    def test_month_out_of_turn(self, people, lock):
        lock("2018-07")
        self.refused("请先锁定2018年8月", lock, "2018-09")
        self.refused("2018年7月已锁定", lock, "2018-07")

    def test_month_never_made(self, people, township, reviewer):
        self.refused(
            "还没有生成", services.lock_month, by=reviewer, township=township, period="2018-08",
            today=TODAY,
        )  # fmt: skip

    def test_one_who_made_it(self, people, township, reviewer):
        make_return(
            code="population-ledger", region=township, period="2018-08", by=reviewer, today=TODAY
        )
        self.refused(
            "不同的人", services.lock_month, by=reviewer, township=township, period="2018-08",
            today=TODAY,
        )  # fmt: skip

    def test_figures_that_are_no_longer_those_of_the_registry(
        self, people, township, clerk, reviewer
    ):
        make_return(
            code="population-ledger", region=township, period="2018-08", by=clerk, today=TODAY
        )
        move_out(clerk, people[2], date(2018, 8, 20))
        self.refused(
            "登记有变动", services.lock_month, by=reviewer, township=township, period="2018-08",
            today=TODAY,
        )  # fmt: skip
        assert not LedgerLock.objects.exists()

    def test_a_write_while_it_is_being_locked(self, people, monkeypatch, lock):
        from households.services import ledger as service

        keep = service._keep_members

        def late(township, day):
            Resident.objects.filter(pk=people[0].pk).update(death_date=date(2018, 8, 2))
            keep(township, day)

        monkeypatch.setattr(service, "_keep_members", late)
        with pytest.raises(RuleViolation, match="登记在锁定时有变动"), transaction.atomic():
            lock("2018-08")

    def test_an_earlier_month_or_no_reason_to_unlock(self, people, county_user, lock):
        first, second = lock("2018-08"), lock("2018-09")
        unlock = services.unlock_month
        self.refused("请先解锁后面的月份", unlock, by=county_user, lock=first, reason="漏报")
        self.refused("原因", unlock, by=county_user, lock=second, reason=" ")
        unlock(by=county_user, lock=second, reason="漏报")
        self.refused("已经解锁", unlock, by=county_user, lock=second, reason="漏报")


def test_counting_note_tells_where_a_late_event_counts(people, village, other_township, lock):
    assert counting_note(village, date(2018, 8, 20)) == ""
    lock("2018-08")
    lock("2018-09")
    assert counting_note(village, date(2018, 10, 1)) == ""
    note = counting_note(village, date(2018, 8, 20))
    assert "2018年8月的总人口账已锁定" in note
    assert "计入2018年10月的补报" in note


def test_county_adds_locked_townships_to_open_ones(
    people, county, township, other_township, far_village, clerk, lock
):
    make_resident(make_household(far_village), "远人")
    lock("2018-08")
    move_out(clerk, people[2], date(2018, 8, 20))
    figures = compute_ledger([county, township, other_township], AUGUST)
    for code, number in figures[county.code].items():
        assert number == figures[township.code][code] + figures[other_township.code][code]
    assert figures[county.code][code_of("closing")] == 6
    for column in COLUMNS:
        assert len(names(column, county, AUGUST)) == figures[county.code][code_of(column)]
    later = compute_ledger([county], SEPTEMBER)[county.code]
    assert shown(later) == {"opening": 6, "late_losses": 1, "closing": 5}
    for column in COLUMNS:
        assert len(names(column, county, SEPTEMBER)) == later[code_of(column)]


def test_database_holds_one_lock_a_month_and_a_reason_for_opening(people, township, lock):
    locked = lock("2018-08")
    values = {
        "township": township, "period": "2018-08", "starts_on": date(2018, 8, 1),
        "closes_on": date(2018, 8, 31), "version": locked.version, "locked_by": locked.locked_by,
        "locked_at": timezone.now(),
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerLock.objects.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerLock.objects.create(**values | {"period": "2018-07", "unlocked_at": timezone.now()})
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerLock.objects.create(**values | {"period": "2018-07", "starts_on": date(2018, 9, 1)})
    member = LedgerMember.objects.first()
    for wrong in ({"sex": "人"}, {"hukou_class": "城镇"}, {"until": member.since}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerMember.objects.filter(pk=member.pk).update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerMember.objects.create(
            township=township, resident=member.resident, village=member.village, sex="男",
            hukou_class="农业", since=date(2018, 10, 31),
        )  # fmt: skip
    entry = {
        "lock": locked, "column": "births", "village": member.village, "sex": "男",
        "hukou_class": "农业", "of_village": True, "of_sex": True, "of_class": True, "name": "张",
    }  # fmt: skip
    for wrong in ({"sex": "人"}, {"hukou_class": "城镇"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerEntry.objects.create(**entry | wrong)


class TestPages:
    def test_page_shows_every_class_and_the_villages_in_the_one_asked_for(
        self, people, township, clerk, sign_in
    ):
        page = sign_in(clerk).get("/registry/ledger/?month=2018-09&who=urban")
        text = page.content.decode()
        assert "总人口账　2018年9月" in text
        assert "按村（社区）　非农业" in text
        (classes, places) = page.context["page"].sections
        assert [line.name for line in classes.lines] == list(CLASSES.values())
        assert [line.cells[-1].text for line in classes.lines] == ["5", "4", "1", "3", "1", "1"]
        assert [line.cells[-1].text for line in places.lines] == ["1", "1", "0"]
        list_page = sign_in(clerk).get(classes.lines[0].cells[-1].url)
        assert "张四" in list_page.content.decode()

    def test_reviewer_locks_and_county_unlocks(
        self, people, township, clerk, reviewer, county_user, sign_in
    ):
        make_return(
            code="population-ledger", region=township, period="2018-08", by=clerk, today=TODAY
        )
        client = sign_in(reviewer)
        assert "锁定本月" in client.get("/registry/ledger/?month=2018-08").content.decode()
        url = f"/registry/ledger/{township.code}/2018-08/lock/"
        assert "确认锁定" in client.get(url).content.decode()
        page = client.post(url, follow=True).content.decode()
        assert "2018年8月已锁定，数字不再变" in page
        assert "锁定本月" not in page
        locked = LedgerLock.objects.get()
        county = sign_in(county_user)
        page = county.get(f"/registry/ledger/?region={township.code}&month=2018-08")
        assert "解锁2018年8月" in page.content.decode()
        url = f"/registry/ledger/locks/{locked.pk}/unlock/"
        assert county.post(url, {}).context["form"].errors
        page = county.post(url, {"reason": "漏报"}, follow=True).content.decode()
        assert "2018年8月已解锁" in page

    def test_return_page_of_a_locked_month_says_so_and_makes_no_version(
        self, people, township, clerk, sign_in, lock
    ):
        lock("2018-08")
        move_out(clerk, people[2], date(2018, 8, 20))
        url = f"/returns/live/population-ledger/{township.code}/2018-08/"
        page = sign_in(clerk).get(url).content.decode()
        assert "已锁定" in page
        assert "生成第" not in page
        made = sign_in(clerk).post(
            f"/returns/make/population-ledger/{township.code}/2018-08/", follow=True
        )
        assert "2018年8月已锁定，数字不再变，这是第1版" in made.content.decode()
        assert ReturnVersion.objects.count() == 1

    def test_clerk_of_another_township_sees_nothing(self, people, township, other_clerk, sign_in):
        assert (
            sign_in(other_clerk).get(f"/registry/ledger/?region={township.code}").status_code == 404
        )

    def test_village_worker_sees_the_village_alone(self, people, propagandist, sign_in):
        page = sign_in(propagandist).get("/registry/ledger/?month=2018-09")
        assert [s.title for s in page.context["page"].sections] == ["全部口径"]
        assert page.context["page"].sections[0].lines[0].cells[-1].text == "4"


def test_workbook_stacks_the_classes_under_one_head(people, township, clerk):
    import io

    import openpyxl

    from fpadmin.reporting.services import download_version

    version, _ = make_return(
        code="population-ledger", region=township, period="2018-09", by=clerk, today=TODAY
    )
    content = download_version(version=version, suffix="xlsx", by=clerk)
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    assert page.max_column == len(COLUMNS) + 1
    first = [page.cell(row, 1).value for row in range(1, page.max_row + 1)]
    assert [w for w in first if w in CLASSES.values() and w != "合计"] == [
        "男",
        "女",
        "农业",
        "非农业",
        "流入",
    ]
    at = first.index("女") + 1
    assert page.cell(at + 1, 1).value == "合计"
    assert page.cell(at + 1, len(COLUMNS) + 1).value == 1


def test_only_the_office_may(people, township, far_village):
    user = make_user("county", far_village.parent.parent, "elsewhere")
    assert LedgerLock.objects.visible_to(user).count() == 0


def test_month_before_the_first_lock_says_that_its_figures_are_no_books(
    people, village, reviewer, lock, sign_in
):
    lock("2018-09")
    note = counting_note(village, date(2018, 8, 20))
    assert "2018年8月的总人口账已锁定" not in note
    assert "2018年9月的总人口账已锁定" in note
    page = sign_in(reviewer).get("/registry/ledger/?month=2018-08").content.decode()
    assert "本月没有锁定过" in page
    page = sign_in(reviewer).get("/registry/ledger/?month=2018-09").content.decode()
    assert "本月没有锁定过" not in page


def test_choices_beside_the_page_say_which_month_it_shows(people, clerk, sign_in):
    page = sign_in(clerk).get("/registry/ledger/").content.decode()
    assert re.search(r'<option value="2018-09"[^>]*selected', page)
