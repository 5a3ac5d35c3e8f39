"""The published accounts of the demonstration; they exist only where FPADMIN_DEMO made them."""

from dataclasses import dataclass

from fpadmin.accounts.permissions import Role

DEMO_PASSWORD = "Yanshi.2018"


@dataclass(frozen=True)
class DemoAccount:
    """One person of the demonstration and the region the account stands in."""

    role: Role
    username: str
    name: str
    region_code: str


DEMO_ACCOUNTS = (
    DemoAccount(Role.PROPAGANDIST, "xuanchuan", "林霞丹", "539981001201"),
    DemoAccount(Role.CLERK, "jingban", "罗晓梅", "539981001"),
    DemoAccount(Role.REVIEWER, "shenhe", "杨建平", "539981001"),
    DemoAccount(Role.COUNTY, "xianji", "李文华", "539981"),
    DemoAccount(Role.AUDITOR, "shenji", "王静", "539981"),
    DemoAccount(Role.SECURITY_ADMINISTRATOR, "anquan", "赵明辉", "539981"),
    DemoAccount(Role.ADMINISTRATOR, "guanli", "陈志强", "539981"),
)
