"""What undoing an import of residents must heed beside the tables themselves: numbers and heads."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from fpadmin.imports.models import ImportEffect
from fpadmin.imports.undo import Dependent, Reversal
from households.identifiers import LINKS
from households.models import Relation, Resident


def numbers_in_use(reversal: Reversal) -> Iterator[Dependent]:
    """People whose ID number came with the import, where somebody was linked by it afterwards."""
    numbered = reversal.effects(Resident, ImportEffect.Action.CHANGED).filter(
        columns__contains=",id_number,"
    )
    if not numbered.exists():
        return
    for model, links in LINKS:
        for link in links:
            known = ImportEffect.objects.filter(
                batch=reversal.batch, model=model._meta.label_lower, object_id=OuterRef("pk"),
                columns__contains=f",{link}_id,",
            )  # fmt: skip
            rows = model.objects.filter(**{f"{link}__in": numbered.values("object_id")})
            rows = rows.exclude(**{f"{link}_id_number_digest": ""}).exclude(Exists(known))
            for own in reversal.created(model):
                rows = rows.exclude(own)
            for pk in rows.order_by().values_list(f"{link}_id", flat=True):
                yield Dependent(Resident, pk, "后来有人按本次导入的号码关联到他（她）")


def step_down(reversal: Reversal) -> None:
    """No changed head is one until the old values return, in whatever order they do."""
    heads = reversal.effects(Resident, ImportEffect.Action.CHANGED).filter(
        columns__contains=",relation,"
    )
    Resident.objects.filter(pk__in=heads.values("object_id"), relation=Relation.HEAD).update(
        relation=Relation.OTHER
    )
