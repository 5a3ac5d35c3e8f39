"""Makes the lists and events of 专项 known; called once, by ready()."""

from fpadmin.audit.log import register_types
from subsidies.oneoff import exam_list, pension_list, schooling_list
from subsidies.services import exams, grades, pensions, stipends, wages


def load() -> None:
    """Register all of it."""
    register_types(wages.EVENT_TYPES, wages.CHANGE_LABELS)
    register_types(pensions.EVENT_TYPES, {})
    register_types(exams.EVENT_TYPES, exams.CHANGE_LABELS)
    register_types(grades.EVENT_TYPES, {})
    register_types(stipends.EVENT_TYPES, stipends.CHANGE_LABELS)
    pension_list.load()
    schooling_list.load()
    exam_list.load()
