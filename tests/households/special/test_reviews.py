"""What happens in the registry is looked at in the archive: a task at once, nothing closed by itself."""

from datetime import date

import pytest
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households import services
from households.models import ArchiveReview, ChildRecord, SpecialFamily
from households.special.doubts import doubts
from tests.factories.households import make_resident
from tests.factories.special import make_archive

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
BIRTH = {
    "child_name": "戴小二", "sex": "女", "birth_date": date(2018, 9, 1), "order": 2, "origin": "收养",
    "within_policy": True, "hospital": "", "birth_certificate_no": "", "survival": "存活",
    "death_date": None, "disability_grade": "", "disability_date": None,
}  # fmt: skip


@pytest.fixture
def family(village):
    return make_archive(village)


def parents(family):
    return [p.resident for p in family.parents.order_by("pk")]


def happened(clerk, kind, resident=None, **values):
    return services.record_event(
        by=clerk, kind=kind, values=values | ({"resident": resident} if resident else {}),
        happened_on=TODAY, today=TODAY, confirmed=True,
    )  # fmt: skip


def test_archive_that_meets_the_criteria_is_not_doubtful(family):
    assert doubts(SpecialFamily.objects.all(), TODAY) == {}


def test_adopted_child_opens_one_task_and_closes_nothing(clerk, family):
    husband, wife = parents(family)
    services.record_birth(by=clerk, parent=wife, values=BIRTH, today=TODAY)
    review = ArchiveReview.objects.get()
    assert (review.family, review.cause, review.decision) == (family, "收养", "")
    assert "生育史中有2个子女" in review.finding
    family.refresh_from_db()
    assert family.closed_on is None
    assert AuditEvent.objects.filter(type="special.review_opened").count() == 1


def test_new_child_by_event_is_one_task_with_its_event(clerk, family):
    husband, wife = parents(family)
    wife.birth_date = date(1980, 5, 6)
    wife.save()
    child = {
        "name": "戴小二", "sex": "女", "birth_date": TODAY, "relation": "女", "hukou": "农业",
        "residence": "常住", "hukou_region_code": "", "marital": "未婚",
        "mother_id_number": wife.id_number, "father_id_number": husband.id_number,
    }  # fmt: skip
    event = services.record_event(
        by=clerk, kind="birth", happened_on=TODAY, today=TODAY, confirmed=True,
        values={
            "parent": wife, "household": wife.household, "child": child,
            "birth": BIRTH | {"birth_date": TODAY, "origin": "亲生"},
        },
    )  # fmt: skip
    review = ArchiveReview.objects.get()
    assert (review.event, review.cause) == (event, "出生")


def test_death_of_a_parent_and_its_undoing_are_both_looked_at(clerk, family):
    husband, wife = parents(family)
    event = happened(clerk, "death", wife)
    review = ArchiveReview.objects.get()
    assert (review.cause, review.resident) == ("死亡", wife)
    assert "董丽怡已去世" in review.finding
    services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错误")
    assert list(ArchiveReview.objects.order_by("pk").values_list("cause", flat=True)) == [
        "撤销死亡"
    ]


def test_divorce_is_looked_at_though_the_archive_stands(clerk, family):
    husband, wife = parents(family)
    happened(clerk, "divorce", wife)
    assert "仍符合" in ArchiveReview.objects.get().finding


def test_other_events_only_where_the_archive_becomes_doubtful(clerk, family, village):
    husband, wife = parents(family)
    happened(clerk, "hukou_change", members=[husband], hukou="非农业")
    assert not ArchiveReview.objects.exists()
    happened(clerk, "move_out", members=[wife], relations={})
    assert "董丽怡已迁出" in ArchiveReview.objects.get().finding


def test_death_of_the_disabled_child_asks_for_another_kind(clerk, village):
    family = make_archive(
        village, kind="伤残", died=None, disability_grade="一级", disability_date=date(2015, 1, 1)
    )
    record = ChildRecord.objects.get()
    child = make_resident(family.household, "戴小飞", relation="子", birth_date=record.birth_date)
    ChildRecord.objects.update(child=child)
    happened(clerk, "death", child)
    review = ArchiveReview.objects.get()
    assert "档案类型是独生子女伤残，现在符合的是独生子女死亡" in review.finding
    family.refresh_from_db()
    assert family.kind == "伤残"


def test_event_of_strangers_touches_no_archive(clerk, family, village):
    other = make_archive(village)
    stranger = make_resident(make_archive(village).household, "老人", relation="父")
    SpecialFamily.objects.exclude(pk__in=[family.pk, other.pk]).update(
        closed_on=TODAY, close_reason="other"
    )
    happened(clerk, "death", stranger)
    assert not ArchiveReview.objects.exists()


def test_doubt_found_by_an_import_is_a_task_once(clerk, family, township):
    ChildRecord.objects.update(survival="存活", death_date=None)
    for _ in range(2):
        services.review_region(by=clerk, region=township, cause="导入生育史", today=TODAY)
    assert ArchiveReview.objects.get().cause == "导入生育史"


def test_task_is_decided_once_and_keeping_needs_a_reason(clerk, family):
    husband, wife = parents(family)
    happened(clerk, "divorce", wife)
    review, now = ArchiveReview.objects.get(), timezone.now()
    with pytest.raises(RuleViolation, match="理由"):
        services.decide_review(by=clerk, review=review, decision="kept", note="", now=now)
    services.decide_review(by=clerk, review=review, decision="kept", note="仍由母亲照管", now=now)
    with pytest.raises(RuleViolation, match="已经处理"):
        services.decide_review(by=clerk, review=review, decision="kept", note="再次", now=now)
