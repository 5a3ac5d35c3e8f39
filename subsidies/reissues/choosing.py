"""Which failed lines may be paid again, and which wait for another account."""

from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from households.models import Relation, Resident
from subsidies.models import (
    LIVE_STATES,
    REISSUED_STATES,
    SENT_BATCHES,
    LineState,
    PaymentLine,
    ReturnException,
    arrived_late,
)
from subsidies.policies import catalogue
from subsidies.reissues.reasons import about_account


def failed(lines: QuerySet) -> QuerySet:
    """Lines that failed or came back, and did not arrive late."""
    return lines.filter(state__in=REISSUED_STATES, late_paid_on__isnull=True)


def reissuable(lines: QuerySet) -> QuerySet:
    """Those that may be paid again: nothing else pays, or is about to pay, their months.

    A child line held back until its batch went to the bank is no obstacle; it is given up then. An
    answer of the bank that nobody has seen to might say that the money arrived.
    """
    child = PaymentLine.objects.filter(reissue_of=OuterRef("pk")).exclude(state=LineState.VOID)
    child = child.exclude(state=LineState.HELD, batch__state__in=SENT_BATCHES)
    questions = ReturnException.objects.open().filter(line=OuterRef("pk"))
    return failed(lines).filter(~Exists(child), ~_paid_elsewhere(), ~Exists(questions))


def wrong_accounts(lines: QuerySet) -> QuerySet:
    """Those that wait for an account: it is still the one that failed, or there is none.

    By the bank's reason, or because the office told the village of them whatever the reason says.
    """
    return _account_as_failed(lines).filter(about_account() | Q(village_told_at__isnull=False))


def unclear_accounts(lines: QuerySet) -> QuerySet:
    """Those whose reason doesn't speak of the account, so that the office has to say whether it does."""
    return _account_as_failed(lines).filter(~about_account(), village_told_at__isnull=True)


def _account_as_failed(lines: QuerySet) -> QuerySet:
    under_way = PaymentLine.objects.filter(reissue_of=OuterRef("pk")).exclude(
        state__in=[LineState.HELD, LineState.VOID]
    )
    same = Q(account_digest=F("digest_now"), name=F("name_now")) | Q(digest_now="")
    return (
        failed(lines)
        .filter(~Exists(under_way), ~_paid_elsewhere())
        .alias(digest_now=_now("bank_account_digest"), name_now=_now("name"))
        .filter(same)
    )


def _paid_elsewhere() -> Q:
    """Some of its months are in a live line or in one that arrived late, or a later one tried them; a rest
    without months, in any that was made later."""
    both = ExpressionWrapper(F("months").bitand(OuterRef("months")), output_field=IntegerField())
    tried = Q(state__in=REISSUED_STATES, pk__gt=OuterRef("pk"))
    others = PaymentLine.objects.filter(
        Q(state__in=LIVE_STATES) | tried | arrived_late(), policy_code=OuterRef("policy_code"),
        beneficiary=OuterRef("beneficiary"), slot=OuterRef("slot"),
    )  # fmt: skip
    same_month = Exists(others.alias(both=both).filter(both__gt=0))
    later = Exists(others.filter(pk__gt=OuterRef("pk")))
    return Q(same_month) | (Q(months=0) & Q(later))


def _now(column: str):
    """The column of whose account it would be today: the person's, or for a child without one the head's."""
    children = [code for code, one in catalogue.policies().items() if one.who == "child"]
    head = Resident.objects.filter(
        household=OuterRef("beneficiary__household"), relation=Relation.HEAD,
        death_date__isnull=True, departed_on__isnull=True,
    ).order_by("pk")  # fmt: skip
    own = F(f"beneficiary__{column}")
    return Case(
        When(
            policy_code__in=children,
            beneficiary__bank_account_digest="",
            then=Coalesce(Subquery(head.values(column)[:1]), own, Value("")),
        ),
        default=own,
    )
