"""The tabs of 专项: those of its pages that the user may open."""

from dataclasses import dataclass

from fpadmin.accounts.permissions import Permission

PENSION, SCHOOLING, EXAM, STIPEND, WAGE = "pension", "schooling", "exam", "stipend", "wage"


@dataclass(frozen=True)
class Tab:
    """One page of the group."""

    key: str
    label: str
    permission: Permission

    @property
    def url_name(self) -> str:
        """Where it leads."""
        return f"subsidies:{self.key}-list"


TABS = (
    Tab(PENSION, "养老补助", Permission.BENEFIT_VIEW),
    Tab(SCHOOLING, "奖学金", Permission.BENEFIT_VIEW),
    Tab(EXAM, "升学加分", Permission.BENEFIT_VIEW),
    Tab(STIPEND, "岗位补贴", Permission.PAYMENT_VIEW),
    Tab(WAGE, "平均工资", Permission.PAYMENT_VIEW),
)


def tabs_of(user, here: str) -> dict:
    """What the templates' tab bar takes."""
    return {"tabs": [tab for tab in TABS if user.may(tab.permission)], "here": here}
