"""What moves in the registry takes the archive along: villages that merge, records that become one."""

from datetime import date

import pytest
from django.utils import timezone

from fpadmin.errors import RuleViolation
from households import services
from households.models import FamilyParent, HealthCheck, SpecialFamily
from households.special import criteria
from tests.factories.accounts import make_user
from tests.factories.households import make_resident
from tests.factories.special import make_archive

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)


def test_village_that_becomes_another_takes_its_archives_along(county_user, village, other_village):
    family = make_archive(village)
    before = make_user("propagandist", village, "p-before")
    services.change_villages(
        by=make_user("administrator", county_user.region, "a-change"), sources=[village],
        target=other_village, day=date(2018, 9, 1), document="镇政发12号", today=TODAY,
    )  # fmt: skip
    family = SpecialFamily.objects.get()
    assert family.household.village == other_village
    assert not SpecialFamily.objects.visible_to(before).exists()
    assert {s.village for s in criteria.found(TODAY)} == {other_village}
    assert {s.village for s in criteria.found(date(2018, 8, 31))} == {village}


def test_merged_record_hands_its_archive_to_the_kept_one(clerk, village):
    family = make_archive(village)
    merged = family.parents.get(resident__sex="女").resident
    HealthCheck.objects.create(
        family=family, resident=merged, checked_on=TODAY, recorded_on=TODAY, recorded_by=clerk
    )
    kept = make_resident(
        family.household, "董丽怡", sex="女", relation="其他", birth_date=merged.birth_date,
        id_number="",
    )  # fmt: skip
    done = services.merge_residents(
        by=clerk, kept=kept, merged=merged, today=TODAY, now=timezone.now()
    )
    assert family.parents.get(resident__sex="女").resident == kept
    assert HealthCheck.objects.get().resident == kept
    services.undo_merge(by=clerk, merge=done, now=timezone.now())
    assert family.parents.get(resident__sex="女").resident == merged


def test_two_records_of_one_archive_are_not_merged_over_each_other(clerk, village):
    family = make_archive(village)
    merged = family.parents.get(resident__sex="女").resident
    kept = make_resident(
        family.household, "董丽怡", sex="女", relation="其他", birth_date=merged.birth_date,
        id_number="",
    )  # fmt: skip
    FamilyParent.objects.create(family=family, resident=kept, started_on=family.opened_on)
    with pytest.raises(RuleViolation, match="特殊家庭父母"):
        services.merge_residents(
            by=clerk, kept=kept, merged=merged, today=TODAY, now=timezone.now()
        )
