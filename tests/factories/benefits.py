"""Benefits for tests: policies switched on, people on the rolls, applications, and couples who qualify."""

from datetime import date

from households.models import Resident
from subsidies.models import Application, Enrolment, PolicyRate, PolicyVersion
from subsidies.policies import catalogue
from tests.factories.households import make_birth, make_household, make_resident


def switch_on(code: str, region, from_on=date(2004, 1, 1), *, is_on=True, **changed):
    """The policy as shipped, on (or off) in `region` from a day; `changed` columns replace the shipped."""
    policy = catalogue.policy(code)
    values = {
        "document": "试行文件", "criteria": catalogue.as_entries(policy.criteria),
        "starts": policy.starts, "ends": policy.ends,
        "shares": {payer: str(part) for payer, part in policy.shares.items()},
        "notice_days": 0 if policy.sensitive else 7,
    }  # fmt: skip
    return PolicyVersion.objects.create(
        policy_code=code, region=region, from_on=from_on, is_on=is_on, **(values | changed)
    )


def set_rate(code: str, region, amount, from_on=date(2004, 1, 1), grade="") -> PolicyRate:
    """A rate of the place's own."""
    return PolicyRate.objects.create(
        policy_code=code, region=region, from_on=from_on, amount=amount, grade=grade,
        document="试行文件",
    )  # fmt: skip


def make_old_couple(village, number="", *, born=date(1950, 3, 4), hukou="农业", girls=1, **birth):
    """Husband and wife of one age with `girls` living daughters: by default both qualify for CN-RURAL."""
    household = make_household(village, number)
    head = make_resident(household, "陶有田", marital="初婚", birth_date=born, hukou=hukou)
    wife = make_resident(
        household, "宋桂兰", sex="女", relation="配偶", marital="初婚", birth_date=born, hukou=hukou
    )
    for one, other in ((head, wife), (wife, head)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    for order in range(1, girls + 1):
        values = {"birth_date": date(1974 + 2 * order, 1, 5), "order": order, "father": head}
        make_birth(wife, **(values | {"sex": "女"} | birth))
    return head, wife


def make_enrolment(resident: Resident, code="CN-RURAL", start=date(2015, 1, 1), **values):
    """A line on a roll."""
    return Enrolment.objects.create(
        policy_code=code, resident=resident, start_month=start, **values
    )


def make_application(resident: Resident, by, code="CN-RURAL", **values) -> Application:
    """An application, by default a draft."""
    return Application.objects.create(
        **({"policy_code": code, "resident": resident, "created_by": by,
            "applied_on": date(2018, 9, 3)} | values)
    )  # fmt: skip
