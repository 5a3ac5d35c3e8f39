"""Two villages of nineteen people whose every figure is worked out by hand in the tests that use them."""

from datetime import date
from types import SimpleNamespace

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Span
from households.models import Residency
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident

SEPTEMBER = Span(date(2018, 9, 1), date(2018, 9, 30))
YEAR = Span(date(2017, 10, 1), date(2018, 9, 30))


def _moved(resident, household, day, **changes):
    """Close the person's spell on `day` and open one in `household`."""
    Residency.objects.filter(resident=resident).update(ended_on=day)
    return Residency.objects.create(
        resident=resident, household=household, village=household.village, started_on=day,
        **{"relation": "其他", "residence": "常住", "hukou": "农业"} | changes,
    )  # fmt: skip


def make_small_population(village: Region, other: Region) -> SimpleNamespace:
    """See the comments: what each of them is and counts in on 2018-09-30."""
    group = make_region(f"{village.code}01", "一组")
    first = make_household(village, "00001", group)
    second = make_household(village, "00002")
    third = make_household(other, "00003")
    married = {"marital": "初婚"}
    # 00001 of the first village: a couple with an only-child certificate, and their two children.
    father = make_resident(
        first, "王强", birth_date=date(1980, 1, 1), only_child_cert_no="证1", **married
    )
    mother = make_resident(
        first, "李芳", sex="女", birth_date=date(1985, 1, 1), relation="配偶",
        only_child_cert_no="证1", **married,
    )  # fmt: skip
    boy = make_resident(first, "王一", birth_date=date(2018, 9, 5), relation="子")
    girl = make_resident(first, "王二", sex="女", birth_date=date(2017, 10, 1), relation="女")
    # 00002: no living head. The oldest living member is aged 65 that day; the head died in September.
    dead = make_resident(
        second, "赵老", birth_date=date(1940, 1, 1), death_date=date(2018, 9, 10), relation="户主"
    )
    widow = make_resident(
        second, "钱老", sex="女", birth_date=date(1953, 9, 30), relation="配偶", marital="丧偶",
        hukou="非农业",
    )  # fmt: skip
    # Ages on the day: exactly 50 (out), 49 (in), 15 tomorrow (out), 15 today and married (in).
    fifty = make_resident(
        second, "孙一", sex="女", birth_date=date(1968, 9, 30), relation="其他", **married
    )
    forty_nine = make_resident(
        second,
        "孙二",
        sex="女",
        birth_date=date(1968, 10, 1),
        relation="其他",
        hukou="非农业",
        **married,
    )
    make_resident(
        second, "孙三", sex="女", birth_date=date(2003, 10, 1), relation="其他", **married
    )
    make_resident(
        second, "孙四", sex="女", birth_date=date(2003, 9, 30), relation="其他", **married
    )
    # Of the other village: an inflow couple with a certificate that doesn't count, 64 and 45.
    make_resident(
        third, "周强", birth_date=date(1953, 10, 1), residence="流入", hukou_region_code="510000",
        only_child_cert_no="证2", **married,
    )  # fmt: skip
    migrant = make_resident(
        third, "吴丽", sex="女", birth_date=date(1973, 3, 3), residence="流入", relation="配偶",
        hukou_region_code="510000", only_child_cert_no="证2", **married,
    )  # fmt: skip
    # Holds the certificate of the first village's couple: one number in the township.
    make_resident(
        third, "郑亲", birth_date=date(1960, 2, 29), relation="其他", only_child_cert_no="证1"
    )
    # Moved from the first to the other village on 15 September; left the area on 20 September.
    mover = make_resident(second, "冯迁", birth_date=date(1990, 1, 1), relation="其他")
    _moved(mover, third, date(2018, 9, 15))
    gone = make_resident(third, "陈走", birth_date=date(1991, 1, 1), relation="其他")
    Residency.objects.filter(resident=gone).update(ended_on=date(2018, 9, 20))
    # Not born yet on the day, and dead before the year began.
    make_resident(third, "未生", birth_date=date(2018, 10, 1), relation="其他")
    make_resident(
        third, "早逝", birth_date=date(1930, 1, 1), death_date=date(2017, 9, 30), relation="其他"
    )
    births = [
        make_birth(
            mother, date(2018, 9, 5), father, sex="男", order=2, child=boy, child_name="王一"
        ),
        make_birth(
            mother, date(2017, 10, 1), father, sex="女", order=1, child=girl, child_name="王二"
        ),
        # Before the year; adopted; no mother here: counts at the father; third child, against policy.
        make_birth(widow, date(2017, 9, 30), sex="男", order=1, child_name="前年"),
        make_birth(widow, date(2018, 5, 5), sex="男", order=2, origin="收养", child_name="收养"),
        make_birth(None, date(2018, 6, 6), mover, sex="男", order=1, child_name="冯子"),
        make_birth(
            migrant, date(2018, 9, 30), sex="男", order=3, within_policy=False, child_name="周三"
        ),
    ]
    return SimpleNamespace(
        village=village, other=other, township=village.parent, group=group, births=births,
        father=father, mother=mother, dead=dead, widow=widow, fifty=fifty, forty_nine=forty_nine,
        mover=mover, gone=gone, first=first, second=second, third=third,
    )  # fmt: skip
