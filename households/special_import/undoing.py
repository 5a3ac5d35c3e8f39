"""What keeps an import of special families from being undone, beside what leads to its rows."""

from collections.abc import Iterator

from django.db.models import Q

from fpadmin.imports.undo import EDITED, Dependent, Reversal
from households.models import (
    ContactPerson,
    ContactRecord,
    FamilyContact,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    SpecialFamily,
)

# As an import never leaves a row, and what leaves no trace in a row_version.
_AFTERWARDS = {
    ContactPerson: Q(left_on__isnull=False),
    SpecialFamily: Q(closed_on__isnull=False),
    FamilyParent: Q(ended_on__isnull=False),
    FamilyContact: Q(ended_on__isnull=False),
    MedicalCard: Q(resident__isnull=False)
    | Q(expires_on__isnull=False)
    | Q(ended_on__isnull=False),
    NursingInsurance: ~Q(insurer="", policy_number="") | Q(ends_on__isnull=False),
}


def changed_since(reversal: Reversal) -> Iterator[Dependent]:
    """New rows that somebody has ended or completed by hand, or a later import has."""
    for model, condition in _AFTERWARDS.items():
        for ours in reversal.created(model):
            for pk in model._base_manager.filter(ours, condition).values_list("pk", flat=True):
                yield Dependent(model, pk, EDITED)


def voided_since(reversal: Reversal) -> Iterator[Dependent]:
    """New records of the log that somebody has taken back."""
    for ours in reversal.created(ContactRecord):
        voided = ContactRecord._base_manager.filter(ours, voided_at__isnull=False)
        for pk in voided.values_list("pk", flat=True):
            yield Dependent(ContactRecord, pk, EDITED)
