"""Where a crawl of all pages begins: what no link, or no first row of a list, leads to."""

from django.urls import reverse

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission, Role
from fpadmin.audit.models import AuditEvent
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from households.models import (
    ArchiveReview,
    ChildRecord,
    Household,
    LedgerLock,
    Merge,
    SpecialFamily,
)
from subsidies.models import (
    AnnualReview,
    Application,
    Difference,
    Enrolment,
    Notice,
    PaymentBatch,
    Recovery,
    Scenario,
    StipendSheet,
)
from tests.conftest import TODAY
from tests.e2e import office

READERS = (Role.PROPAGANDIST, Role.REVIEWER, Role.COUNTY)


def starts_of(role: Role, user: User) -> list[str]:
    """Where a crawl begins: home, and what a list shows further down than in its first row."""
    found = [reverse("home")]
    if role in (Role.CLERK, Role.ADMINISTRATOR):
        mine = Job.objects.filter(requested_by=user)
        waiting, failed = (mine.filter(state=state).first() for state in ("queued", "failed"))
        found += [reverse("jobs:job-cancel", args=[waiting.pk]), failed.get_absolute_url()]
    if role in (Role.CLERK, Role.REVIEWER):  # linked for who is a contact himself
        found.append(reverse("households:special-my-tasks"))
    if role == Role.CLERK:
        found.append(reverse("households:resident-list") + "?residence=流入&sex=男&sort=name")
        found += [batch.get_absolute_url() for batch in ImportBatch.objects.exclude(kind="regions")]
        found.append(reverse("households:birth-edit", args=[ChildRecord.objects.first().pk]))
        found.append(Merge.objects.get().get_absolute_url())
        found += _archive_pages()
        mistake = Difference.objects.get(rule="hukou")
        found += [
            mistake.get_absolute_url(), reverse("subsidies:difference-exit", args=[mistake.pk])
        ]  # fmt: skip
        line = Enrolment.objects.get(suspensions__isnull=False)
        found.append(line.get_absolute_url())
        free = Enrolment.objects.filter(end_month__isnull=True, changes__isnull=True).first()
        found.append(reverse("subsidies:enrolment-change-create", args=[free.pk]))
    if role == Role.PROPAGANDIST:  # linked for who may know of every such roll
        found.append(reverse("subsidies:enrolment-sensitive-list"))
    if role in (Role.CLERK, Role.PROPAGANDIST):
        found += [notice.get_absolute_url() for notice in Notice.objects.all()]
        place = Notice.objects.first().village_id
        found.append(reverse("subsidies:notice-create") + f"?village={place}&policy=CN-RURAL")
        found += _application_pages()
    if role in (Role.CLERK, *READERS):
        found.append(reverse("subsidies:outlook-list"))
    if user.may(Permission.PAYMENT_VIEW):
        found += [sheet.get_absolute_url() for sheet in StipendSheet.objects.all()]
    if user.may(Permission.BENEFIT_BUDGET):
        scenario = Scenario.objects.get()
        found.append(reverse("subsidies:scenario-people-list") + f"?scenario={scenario.pk}")
    if user.may(Permission.PAYMENT_VIEW):
        found += [batch.get_absolute_url() for batch in PaymentBatch.objects.order_by("pk")]
        found += [reverse("subsidies:recovery-detail", args=[r.pk]) for r in Recovery.objects.all()]
        found.append(reverse("subsidies:line-sensitive-list"))
    if user.may(Permission.PAYMENT_MAKE):
        found.append(reverse("subsidies:batch-create") + "?policy=CN-RURAL")
        draft = PaymentBatch.objects.get(state="draft")
        found.append(reverse("subsidies:batch-lines", args=[draft.pk]))
    if user.may(Permission.BENEFIT_ANNUAL):
        found += [review.get_absolute_url() for review in AnnualReview.objects.all()]
        found += _roster_pages()
    if role == Role.COUNTY:
        found.append(reverse("subsidies:policy-detail", args=["CN-RURAL"]))
        found.append(reverse("households:ledger-unlock", args=[LedgerLock.objects.get().pk]))
    if role == Role.AUDITOR:
        event = AuditEvent.objects.exclude(target_type="").first()
        found.append(reverse("audit:event-detail", args=[event.pk]))
    if role == Role.ADMINISTRATOR:
        accounts = User.objects.filter(role__in=[Role.CLERK, Role.PROPAGANDIST]).order_by("pk")
        found += [reverse("accounts:account-detail", args=[a.pk]) for a in accounts]
    return found


def _application_pages() -> list[str]:
    """The form for somebody, an unsent one, one sent back, and the page after sending."""
    state = {one.state: one.pk for one in Application.objects.order_by("pk")}
    head = Application.objects.get(state="draft").resident
    return [
        reverse("subsidies:application-create", args=[head.pk]),
        reverse("subsidies:application-create", args=[head.pk]) + "?policy=CN-RURAL",
        *(
            reverse("subsidies:application-detail", args=[state[name]])
            for name in ("draft", "returned", "township")
        ),
        reverse("subsidies:application-submitted", args=[state["village"]]),
    ]


def _roster_pages() -> list[str]:
    """The form, each paper of the township, and the lists of both sides."""
    exits = reverse("subsidies:review-exits") + "?policy=CN-RURAL&year=2018&side="
    paper = reverse("subsidies:roster-print") + f"?year=2018&place={office.TOWNSHIP}&policy="
    return [
        reverse("subsidies:roster-print"),
        *(f"{exits}{side}" for side in ("entered", "exited")),
        *(f"{paper}CN-RURAL&kind={kind}" for kind in ("roster", "entered", "exited")),
        f"{paper}CN-SPECIAL-DEATH&kind=roster",
    ]


def _archive_pages() -> list[str]:
    """Forms of an archive that no page leads to while nothing is amiss with it."""
    family = SpecialFamily.objects.filter(closed_on__isnull=True).first()
    review, _ = ArchiveReview.objects.get_or_create(
        family=family, cause="迁出", finding="户主已迁出", found_on=TODAY
    )
    without = Household.objects.filter(special_families__isnull=True, members__isnull=False)
    return [
        *(
            reverse(f"households:special-family-{act}", args=[family.pk])
            for act in ("move", "health-edit")
        ),
        reverse("households:special-review-decide", args=[review.pk]),
        reverse(
            "reporting:return-detail", args=["special-families-annual", office.TOWNSHIP, "2018"]
        ),
        reverse("reporting:figure-list", args=["special_families", office.TOWNSHIP]),
        reverse("households:special-family-create", args=[without.first().pk]),
    ]
