"""How banks want their files: layouts that a county or an office adds and changes."""

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.scoping import below
from fpadmin.versions import claim
from subsidies.bank_files.layouts import Layout, fault_of
from subsidies.models import BankLayout

EVENT_TYPES = {
    "bank-layout.added": "新增银行文件格式",
    "bank-layout.changed": "修改银行文件格式",
}
CHANGE_LABELS = {"layout": "格式"}
TAKEN = "已有同名的格式，请换一个名称。"
_FIELDS = ("name", "format", "encoding", "separator", "has_heading", "has_totals", "columns")


@transaction.atomic
def add_layout(*, by, region: Region, layout: Layout, is_active: bool = True) -> BankLayout:
    """Add one for the region and what lies below it. Refuses one that no bank could read."""
    _refuse_unless_may(by, region)
    _refuse_faulty(layout)
    row = BankLayout(region=region, set_by=by, is_active=is_active, **_values(layout))
    _save(row)
    log.record(
        "bank-layout.added", by=by, target=row, region_path=region.path,
        changes={"layout": ["", layout.name]},
    )  # fmt: skip
    return row


@transaction.atomic
def edit_layout(
    *, by, row: BankLayout, row_version: int, layout: Layout, is_active: bool
) -> BankLayout:
    """Change one. Files that were made keep the layout that they were made with."""
    _refuse_unless_may(by, row.region)
    claim(row, row_version)
    _refuse_faulty(layout)
    row = BankLayout.objects.select_related("region").get(pk=row.pk)
    new = _values(layout) | {"is_active": is_active}
    changes = {
        name: [getattr(row, name), value]
        for name, value in new.items()
        if getattr(row, name) != value
    }
    for name, value in new.items():
        setattr(row, name, value)
    row.set_by = by
    _save(row, update_fields=[*new, "set_by", "set_at"])
    log.record(
        "bank-layout.changed", by=by, target=row, region_path=row.region.path, changes=changes
    )
    return row


def _refuse_unless_may(by, region: Region) -> None:
    own = Region.objects.filter(below(by.scope_path, "path"), pk=region.pk)
    if not by.may(Permission.PAYMENT_LAYOUT) or not own.exists():
        raise RuleViolation("您的岗位不能设定这个地方的银行文件格式。")


def _refuse_faulty(layout: Layout) -> None:
    if not layout.name.strip():
        raise RuleViolation("请填写格式的名称。", field="name")
    if fault := fault_of(layout):
        at, words = fault
        raise RuleViolation(words, field=None if at is None else f"field_{at}")


def _values(layout: Layout) -> dict:
    data = layout.as_data()
    return {name: data[name] for name in _FIELDS}


def _save(row: BankLayout, **options) -> None:
    try:
        with transaction.atomic():
            row.save(**options)
    except IntegrityError:
        raise RuleViolation(TAKEN, field="name") from None
