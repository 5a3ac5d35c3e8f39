"""Writes of the registry: each one transaction that ends in an audit event."""

from households.services.births import edit_birth, record_birth
from households.services.duplicates import decide_different, find_duplicates
from households.services.households import edit_household, register_household
from households.services.ledger import lock_month, unlock_month
from households.services.life_events import record_event, undo_event
from households.services.merging import UNDO_DAYS, UNDO_PERIOD, merge_residents, undo_merge
from households.services.reading import (
    REVEALABLE,
    REVEALS_PER_HOUR,
    record_search,
    record_view,
    reveal,
)
from households.services.requests import (
    accept_request,
    propose_change,
    reject_request,
    withdraw_request,
)
from households.services.residents import (
    ID_NUMBER_TAKEN,
    SECOND_HEAD,
    edit_resident,
    register_resident,
)
from households.services.village_changes import change_villages
from households.spells import Change, NewHousehold

__all__ = [
    "ID_NUMBER_TAKEN", "REVEALABLE", "REVEALS_PER_HOUR", "SECOND_HEAD", "UNDO_DAYS", "UNDO_PERIOD",
    "Change", "NewHousehold",
    "accept_request", "change_villages", "decide_different", "edit_birth", "edit_household",
    "edit_resident", "find_duplicates", "lock_month", "merge_residents", "propose_change", "record_birth",
    "record_event", "record_search", "record_view", "register_household", "register_resident",
    "reject_request", "reveal", "undo_event", "undo_merge", "unlock_month", "withdraw_request",
]  # fmt: skip

EVENT_TYPES = {
    "household.registered": "登记家庭",
    "household.changed": "修改家庭",
    "household.viewed": "查看家庭",
    "resident.registered": "登记居民",
    "resident.changed": "修改居民",
    "resident.viewed": "查看居民",
    "resident.searched": "按姓名或号码查找",
    "resident.revealed": "显示完整号码",
    "birth.recorded": "登记生育",
    "birth.changed": "修改生育",
    "resident.imported": "导入修改居民",
    "birth.imported": "导入修改生育史",
    "event.recorded": "登记生命事件",
    "event.undone": "撤销生命事件",
    "resident.event": "因事件变动",
    "request.made": "村级提出申请",
    "request.withdrawn": "撤回申请",
    "request.accepted": "受理申请",
    "request.rejected": "退回申请",
    "village.changed": "调整区划",
    "duplicates.searched": "查找疑似重复",
    "duplicate.different": "认定不是同一人",
    "resident.merged": "合并重复登记",
    "resident.merge_undone": "撤销合并",
    "demo.loaded": "生成演示数据",
    "ledger.locked": "锁定总人口账",
    "ledger.unlocked": "解锁总人口账",
}
CHANGE_LABELS = {
    "counts_from": "变动日期", "low_income": "低保", "group": "小组", "field": "字段",
    "event": "事件", "happened_on": "发生日期", "fields": "字段", "found": "新发现",
    "closed": "不再相似",
    "sources": "调整的区划", "target": "并入", "document": "批准文件",
    "terms": "查找内容的摘要",
}  # fmt: skip
