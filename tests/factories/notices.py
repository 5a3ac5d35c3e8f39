"""Public notices for tests: applications that wait at the board, a notice that hangs, an objection."""

from datetime import UTC, date, datetime

from households.models import Resident
from subsidies.models import Application, Notice, Objection
from subsidies.services import notices as services
from tests.conftest import TODAY
from tests.factories.benefits import make_application
from tests.factories.households import make_household, make_resident

NOW = datetime(2018, 10, 9, 3, tzinfo=UTC)
PHONE = "0871-68690000"


def make_waiting(resident: Resident, by, code="CN-RURAL", **values) -> Application:
    """An application past the village's review, which `by` submitted."""
    return make_application(
        resident,
        by,
        code,
        **({"state": "notice", "submitted_by": by, "waiting_since": NOW} | values),
    )


def make_applicant(village, by, name="陶有田", code="CN-RURAL", **values) -> Application:
    """The same of somebody new."""
    resident = make_resident(make_household(village), name, birth_date=date(1950, 3, 4))
    return make_waiting(resident, by, code, **values)


def make_notice(people, by, **values) -> Notice:
    """Put up by the service, today unless told otherwise."""
    first = people[0]
    return services.post_notice(
        **{
            "by": by, "village": first.resident.village, "policy_code": first.policy_code,
            "applications": people, "posted_on": TODAY, "phone": PHONE, "place": "村委会公示栏",
            "today": TODAY,
        } | values
    )  # fmt: skip


def make_objection(notice, application, by, **values) -> Objection:
    """Recorded by the service."""
    return services.record_objection(
        **{
            "by": by, "notice": notice, "application": application, "raised_on": TODAY,
            "content": "他家还有一个男孩没有登记。", "today": TODAY,
        } | values
    )  # fmt: skip
