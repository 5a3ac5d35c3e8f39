"""What changed about a line's person since its batch was made (已变动), as an annotation of the lines.

The line itself stays as it was agreed: what is done about it, holding it or asking money back, somebody
decides.
"""

from datetime import date, datetime

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncDate
from django.utils.timezone import localdate

from households.models import EventKind, LifeEvent, Relation, Resident
from subsidies.models import Enrolment, EnrolmentChange, LineState, PaymentBatch, PaymentStep
from subsidies.policies import catalogue

DIED, MERGED, LEFT, ENDED, WAITING, MOVED, ACCOUNT, NAME = (
    "died", "merged", "left", "ended", "waiting", "moved", "account", "name",
)  # fmt: skip
WORDS = {
    DIED: "登记死亡", MERGED: "档案已合并", LEFT: "登记迁出", ENDED: "在册已退出或暂停",
    WAITING: "有待审的在册变动", MOVED: "换了村（社区）", ACCOUNT: "账号已更改", NAME: "户名与姓名不一致",
}  # fmt: skip
# Money that may still be kept back, or that the bank has not answered for.
OPEN = (LineState.PLANNED, LineState.HELD, LineState.INSTRUCTED, LineState.UNKNOWN)


class _Bytewise(Func):
    """A text as BytewiseCharField compares it: PostgreSQL refuses to compare two collations."""

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, template='(%(expressions)s) COLLATE "C"', **extra)


def with_changes(lines: QuerySet, batch: PaymentBatch | None = None) -> QuerySet:
    """Lines with `change`, the weightiest of WORDS or "", and `died_at`, when the death was recorded.

    Of lines that are paid a death alone counts, that of before the money arrived. Where all are of
    one batch, naming it saves the database from asking of each line when it was made.
    """
    made_at = _made_at_of(batch) if batch else None
    since = Value(made_at, DateTimeField()) if made_at else _made_at()
    lines = lines.annotate(since=since, died_at=_death_recorded())
    is_open = Q(state__in=OPEN)
    died = Q(died_at__gt=F("since")) | Q(beneficiary__death_date__gt=TruncDate("since"))
    too_late = Q(state=LineState.PAID) & Q(beneficiary__death_date__lt=F("paid_on"))
    others = (
        (MERGED, Q(beneficiary__merged_into__isnull=False)),
        (LEFT, Q(beneficiary__departed_on__gte=TruncDate("since"))),
        (ENDED, Exists(_changes(decision="accepted", decided_at__gt=OuterRef("since")))),
        (WAITING, Exists(_changes(decision="", proposed_at__gt=OuterRef("since")))),
        (MOVED, ~Exists(Enrolment.objects.filter(
            pk=OuterRef("enrolment"), resident__village=OuterRef("village")
        )) & Q(enrolment__isnull=False)),
        (ACCOUNT, ~Q(account_digest=F("beneficiary__bank_account_digest")) & ~_of_the_head()),
        (NAME, ~Q(beneficiary__name=_Bytewise("name")) & ~_of_the_head()),
    )  # fmt: skip
    return lines.annotate(
        change=Case(
            When(died & (is_open | too_late), then=Value(DIED)),
            *(When(is_open & condition, then=Value(key)) for key, condition in others),
            default=Value(""),
            output_field=CharField(),
        )
    )


def words(key: str, died_at: datetime | None, approved_at: datetime | None, today: date) -> str:
    """What changed, for the office: 批准后登记死亡（09-21）; "" where nothing did."""
    if not key:
        return ""
    if key != DIED or died_at is None:
        return WORDS[key]
    after = "批准后" if approved_at and died_at > approved_at else "编制后"
    return f"{after}{WORDS[DIED]}（{short_day(localdate(died_at), today)}）"


def short_day(day: date, today: date) -> str:
    """09-21 within this year, else 2017-09-21."""
    return f"{day:%m-%d}" if day.year == today.year else f"{day:%Y-%m-%d}"


def _made_at():
    """When the lines were made last."""
    return Coalesce(
        Subquery(_making(OuterRef("batch")).values("at")[:1]), F("batch__made_at"),
        output_field=DateTimeField(),
    )  # fmt: skip


def _made_at_of(batch: PaymentBatch) -> datetime | None:
    return _making(batch.pk).values_list("at", flat=True).first() or batch.made_at


def _making(batch) -> QuerySet:
    steps = PaymentStep.objects.filter(batch=batch, action__in=("create", "recalculate"))
    return steps.order_by("-pk")


def _death_recorded() -> Subquery:
    events = LifeEvent.objects.in_force().filter(
        kind=EventKind.DEATH, resident=OuterRef("beneficiary")
    )
    return Subquery(events.order_by("-pk").values("recorded_at")[:1])


def _changes(**conditions) -> QuerySet:
    """Proposals that end or pause the line of the roll."""
    return EnrolmentChange.objects.filter(
        enrolment=OuterRef("enrolment"), kind__in=("end", "move", "suspend"), **conditions
    )


def _of_the_head() -> Q:
    """A child without an account is paid to the head's."""
    children = [code for code, one in catalogue.policies().items() if one.who == "child"]
    heads = Resident.objects.filter(
        household=OuterRef("beneficiary__household"), relation=Relation.HEAD,
        name=_Bytewise(OuterRef("name")), bank_account_digest=OuterRef("account_digest"),
    )  # fmt: skip
    return Q(policy_code__in=children) & Exists(heads)
