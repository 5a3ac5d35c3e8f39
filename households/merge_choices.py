"""What a merge chooses between, field by field."""

from households.models import Resident

# What the clerk chooses between, and the columns that go together. Where somebody is registered
# comes with the spells, which are always those of the record that is kept.
CHOICES: dict[str, tuple[str, ...]] = {
    "name": ("name", "name_initials"),
    "id_number": ("id_number", "id_number_digest"),
    "sex": ("sex",),
    "birth_date": ("birth_date",),
    "death_date": ("death_date",),
    "ethnicity": ("ethnicity",),
    "marital": ("marital",),
    "first_marriage_date": ("first_marriage_date",),
    "spouse": ("spouse_id", "spouse_id_number", "spouse_id_number_digest"),
    "father": ("father_id", "father_id_number", "father_id_number_digest"),
    "mother": ("mother_id", "mother_id_number", "mother_id_number_digest"),
    "education": ("education",),
    "employment": ("employment",),
    "phone": ("phone", "phone_digest"),
    "only_child_cert_no": ("only_child_cert_no",),
    "only_child_cert_date": ("only_child_cert_date",),
    "disability_grade": ("disability_grade",),
    "bank": ("bank",),
    "bank_account": ("bank_account", "bank_account_digest"),
    "note": ("note",),
}


def lacking(kept: Resident, merged: Resident) -> set[str]:
    """The CHOICES that only the merged record knows anything of."""
    return {
        choice
        for choice, columns in CHOICES.items()
        if not any(getattr(kept, name) for name in columns)
        and any(getattr(merged, name) for name in columns)
    }
