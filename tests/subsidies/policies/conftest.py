"""Policies set through the services, as a county does."""

from datetime import date
from decimal import Decimal

import pytest

from subsidies.policies import catalogue
from subsidies.policies.book import shipped_rule
from subsidies.services import policies as services
from subsidies.services.policies import Setting, Terms
from tests.conftest import TODAY


def terms_of(code="CN-RURAL", *, without=(), changed=None, **values) -> Terms:
    """The shipped rule switched on; `without` these criteria, with `changed` ones in their place."""
    rule = shipped_rule(catalogue.policy(code))
    criteria = [(changed or {}).get(c.key, c) for c in rule.criteria if c.key not in without]
    return Terms(
        **{
            "is_on": True, "criteria": tuple(criteria), "starts": rule.starts, "ends": rule.ends,
            "shares": rule.shares, "notice_days": rule.notice_days,
        } | values
    )  # fmt: skip


@pytest.fixture
def set_version(county_user, county):
    """set_version(code, from_on, region=…, by=…, **terms) as the county does it."""

    def make(
        code="CN-RURAL", from_on=TODAY, *, region=None, by=None, document="试行文件", **values
    ):
        return services.set_version(
            by=by or county_user,
            policy_code=code,
            setting=Setting(region or county, from_on, document, "第三条"),
            terms=terms_of(code, **values),
            today=TODAY,
        )

    return make


@pytest.fixture
def set_rate(county_user, county):
    """set_rate(code, amount, from_on) as the county does it; returns the only row."""

    def make(code="CN-RURAL", amount="1080", from_on=TODAY, *, region=None, grade="", by=None):
        amounts = {grade: Decimal(amount)}
        (row,) = services.set_rates(
            by=by or county_user,
            policy_code=code,
            setting=Setting(region or county, from_on, "试行文件"),
            amounts=amounts,
            today=TODAY,
        )
        return row

    return make


def tomorrow() -> date:
    return date(2018, 10, 10)
