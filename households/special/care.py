"""The tables of care: what each is called, its form, and who may type into it."""

from dataclasses import dataclass

from fpadmin.audit.log import register_types
from households.forms import special_care as forms
from households.models import (
    AidReceived,
    DoctorContract,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityService,
)
from households.services import special_care


@dataclass(frozen=True)
class CareKind:
    """One table: its key in addresses, the form of a row, the section of the archive that shows it."""

    key: str
    label: str
    form: type[forms.CareForm]
    section: str

    @property
    def model(self):
        """The table."""
        return self.form.model


PRIORITY = CareKind("priority", "六优先使用", forms.PriorityForm, "priority")
# Whatever the clerk keeps; a use of a priority may be recorded by the family's contacts too.
KINDS: dict[str, CareKind] = {
    kind.key: kind
    for kind in (
        CareKind("card", "就医卡", forms.CardForm, "cards"),
        CareKind("check", "健康体检", forms.CheckForm, "checks"),
        CareKind("contract", "家庭医生签约", forms.ContractForm, "contracts"),
        CareKind("insurance", "住院护理保险", forms.InsuranceForm, "insurance"),
        CareKind("aid", "享受待遇", forms.AidForm, "aids"),
        CareKind("anniversary", "纪念日", forms.AnniversaryForm, "anniversaries"),
    )
}
REMOVABLE = {
    key: kind
    for key, kind in {**KINDS, PRIORITY.key: PRIORITY}.items()
    if key not in ("card", "contract")
}


def describe(row) -> str:
    """The row as a page or a link calls it: 2018-05-06优先挂号."""
    name = row.resident.name if getattr(row, "resident", None) else ""
    if isinstance(row, MedicalCard):
        return f"就医卡{row.number}"
    if isinstance(row, PriorityService):
        return f"{row.used_on}{row.get_kind_display()}"
    if isinstance(row, HealthCheck):
        return f"{name}{row.checked_on}的体检"
    if isinstance(row, DoctorContract):
        return f"{name}{row.signed_on}的签约"
    if isinstance(row, NursingInsurance):
        return f"保险{row.policy_number or row.insurer}"
    return row.name if isinstance(row, AidReceived) else row.title


def load() -> None:
    """Register what the care services record. Called once, by ready()."""
    register_types(special_care.EVENT_TYPES, special_care.CHANGE_LABELS)
