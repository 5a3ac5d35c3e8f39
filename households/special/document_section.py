"""The part 档案材料 of an archive: on its page and on paper."""

from datetime import date

from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from households.models import SpecialFamily
from households.services.special_documents import EVENT_TYPES
from households.special.documents import documents_of, kinds_for, kinds_there, missing
from households.special.sections import PaperTable, Section, register
from households.special.uploads import PDF


def context(user, family: SpecialFamily, day: date) -> dict:
    """What the part of the page shows."""
    rows = documents_of(user, family)
    sees_all = user.may(Permission.SPECIAL_LIST)
    return {
        "documents": rows,
        # Only who sees every paper can be told which one isn't there.
        "missing": missing(family, kinds_there([family]).get(family.pk, set())) if sees_all else [],
        "can_add": bool(kinds_for(user)),
        "can_remove": user.may(Permission.SPECIAL_EDIT),
    }


def paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """The list of papers as it is printed. Papers of illness stand in a list of their own."""
    return [
        PaperTable(
            "档案材料目录",
            ("类别", "名称", "格式", "上传人", "上传日期"),
            [
                (
                    one.get_kind_display(),
                    one.title,
                    "PDF" if one.content_type == PDF else "图片",
                    one.uploaded_by.name,
                    f"{timezone.localtime(one.uploaded_at):%Y-%m-%d}",
                )
                for one in documents_of(user, family, health=False)
            ],
        )
    ]


def load() -> None:
    """Register the part of the archive and its events. Called once, by ready()."""
    register_types(EVENT_TYPES, {})
    register(
        Section(
            key="documents",
            title="档案材料",
            template="households/special/_documents.html",
            context=context,
            paper=paper,
            order=70,
        )
    )
