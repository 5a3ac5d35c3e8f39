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
from households.services.special_contacts import (
    add_contact_person,
    close_follow_up,
    edit_contact_person,
    edit_contact_record,
    end_contact,
    explain_missed_month,
    hand_over,
    mark_left,
    name_contact,
    open_follow_up,
    pass_follow_up,
    record_contact,
    void_contact_record,
)
from households.services.special_families import (
    change_archive,
    change_health,
    close_archive,
    decide_review,
    move_archive,
    open_archive,
    record_opening,
    set_care_rule,
)
from households.services.special_reviews import review_archives, review_region
from households.services.village_changes import change_villages
from households.spells import Change, NewHousehold

__all__ = [
    "ID_NUMBER_TAKEN", "REVEALABLE", "REVEALS_PER_HOUR", "SECOND_HEAD", "UNDO_DAYS",
    "UNDO_PERIOD", "Change", "NewHousehold", "accept_request", "add_contact_person",
    "change_archive", "change_health", "change_villages", "close_archive", "close_follow_up",
    "decide_different", "decide_review", "edit_birth", "edit_contact_person",
    "edit_contact_record", "edit_household", "edit_resident", "end_contact",
    "explain_missed_month", "find_duplicates", "hand_over", "lock_month", "mark_left",
    "merge_residents", "move_archive", "name_contact", "open_archive", "open_follow_up",
    "pass_follow_up", "propose_change", "record_birth", "record_contact",
    "record_event", "record_opening", "record_search", "record_view", "register_household",
    "register_resident", "reject_request", "reveal", "review_archives", "review_region",
    "set_care_rule", "undo_event", "undo_merge",
    "unlock_month", "void_contact_record", "withdraw_request",
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
    "special.opened": "建特殊家庭档案",
    "special.changed": "修改特殊家庭档案",
    "special.health_changed": "修改特殊家庭健康情况",
    "special.closed": "特殊家庭结案",
    "special.moved": "特殊家庭档案转户",
    "special.review_opened": "要求复核特殊家庭档案",
    "special.reviewed": "复核特殊家庭档案",
    "special.viewed": "查看特殊家庭档案",
    "special.health_viewed": "查看特殊家庭健康情况",
    "special.rule_set": "设定特殊家庭联系要求",
    "special.person_added": "登记联系人",
    "special.person_changed": "修改联系人",
    "special.person_left": "联系人离岗",
    "special.contact_named": "安排特殊家庭联系人",
    "special.contact_ended": "结束特殊家庭联系人",
    "special.handed_over": "交接特殊家庭联系人",
    "special.contacted": "记录特殊家庭联系",
    "special.contact_changed": "修改联系记录",
    "special.contact_voided": "作废联系记录",
    "special.need_opened": "登记需求跟办",
    "special.need_closed": "办结需求",
    "special.need_passed": "转办需求",
    "special.miss_explained": "说明漏联系原因",
    "ledger.locked": "锁定总人口账",
    "ledger.unlocked": "解锁总人口账",
}
CHANGE_LABELS = {
    "counts_from": "变动日期", "low_income": "低保", "group": "小组", "field": "字段",
    "event": "事件", "happened_on": "发生日期", "fields": "字段", "found": "新发现",
    "closed": "不再相似",
    "sources": "调整的区划", "target": "并入", "document": "批准文件",
    "terms": "查找内容的摘要", "decision": "处理结果", "person": "联系人",
    "month": "月份", "parents": "父母",
}  # fmt: skip
