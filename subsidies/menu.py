"""The benefits' places in the menu. The group's own line is 利益导向."""

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.menu import MenuEntry, register_entry
from subsidies.applications.application_list import waiting_count
from subsidies.comparison.desk import open_count
from subsidies.meetings.my_meetings import waiting_count as people_to_see
from subsidies.payments import batch_list
from subsidies.rolls.change_list import changes_to_decide

GROUP = "benefits"


def load() -> None:
    """Register menu entries. Called once, by ready()."""
    register_entry(
        MenuEntry(
            key=GROUP,
            label="利益导向",
            url_name="subsidies:eligibility-list",
            permission=Permission.BENEFIT_VIEW,
            icon="gift",
            order=40,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-eligibility",
            label="资格核查",
            url_name="subsidies:eligibility-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=41,
            active=("subsidies:eligibility", "subsidies:outlook", "subsidies:scenario"),
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-applications",
            label="申请办理",
            url_name="subsidies:application-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=42,
            active=("subsidies:application",),
            count=waiting_count,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-notices",
            label="公示",
            url_name="subsidies:notice-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=43,
            active=("subsidies:notice", "subsidies:objection"),
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-rolls",
            label="在册对象",
            url_name="subsidies:enrolment-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=44,
            active=("subsidies:enrolment", "subsidies:change"),
            count=changes_to_decide,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-reviews",
            label="年审",
            url_name="subsidies:review-list",
            permission=Permission.BENEFIT_ANNUAL,
            group=GROUP,
            order=45,
            active=("subsidies:review", "subsidies:roster"),
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-policies",
            label="政策",
            url_name="subsidies:policy-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=47,
            active=("subsidies:policy", "subsidies:workday"),
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-payments",
            label="资金发放",
            url_name="subsidies:batch-list",
            permission=Permission.PAYMENT_VIEW,
            group=GROUP,
            order=48,
            active=(
                "subsidies:batch",
                "subsidies:line-",
                "subsidies:fund",
                "subsidies:persons",
                "subsidies:layout",
                "subsidies:bank-file",
                "subsidies:exception",
                "subsidies:account",
                "subsidies:recovery",
                "subsidies:reissue",
            ),
            count=batch_list.waiting_count,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-comparison",
            label="比对核查",
            url_name="subsidies:difference-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=46,
            active=("subsidies:difference", "subsidies:comparison"),
            count=open_count,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-meetings",
            label="见面核实",
            url_name="subsidies:meeting-list",
            permission=Permission.PAYMENT_VILLAGE,
            group=GROUP,
            order=49,
            active=("subsidies:meeting",),
            count=people_to_see,
        )
    )
    register_entry(
        MenuEntry(
            key="benefit-oneoff",
            label="专项",
            url_name="subsidies:pension-list",
            permission=Permission.BENEFIT_VIEW,
            group=GROUP,
            order=50,
            active=(
                "subsidies:pension", "subsidies:schooling", "subsidies:exam", "subsidies:stipend",
                "subsidies:wage",
            ),
        )
    )  # fmt: skip
