"""Papers and photos of an archive: who may add and open which, what is missing, what they are called.

The files are sealed (fpadmin.sealed) and served by special-document-file alone.
"""

import hashlib
import re
import unicodedata

from django.db.models import QuerySet

from fpadmin import sealed
from fpadmin.accounts.permissions import Permission
from households.models import (
    HEALTH_DOCUMENTS,
    DocumentKind,
    FamilyDocument,
    FamilyKind,
    SpecialFamily,
)
from households.special.uploads import ENDING_OF

FOLDER = "special"
# What a contact brings home from a visit; the other papers are the clerk's.
CONTACTS_ADD = (DocumentKind.PHOTO, DocumentKind.RECEIPT)
EXPECTED = {
    FamilyKind.DEATH: DocumentKind.DEATH,
    FamilyKind.DISABILITY: DocumentKind.DISABILITY,
}
EXPECTED_OF_ALL = (
    DocumentKind.CERTIFICATE,
    DocumentKind.IDENTITY,
    DocumentKind.MARRIAGE,
    DocumentKind.APPLICATION,
)
# What no file system takes in a name, and what turns the direction of what is read.
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]')
_LONGEST_NAME = 60


def kinds_for(user) -> list[tuple[str, str]]:
    """The kinds that `user` may add, as choices."""
    if user.may(Permission.SPECIAL_EDIT):
        return list(DocumentKind.choices)
    if user.may(Permission.SPECIAL_RECORD):
        return [(kind.value, kind.label) for kind in CONTACTS_ADD]
    return []


def may_open(user, document: FamilyDocument) -> bool:
    """Whether `user`, who sees the archive, may open this paper of it."""
    return document.kind not in HEALTH_DOCUMENTS or user.may(Permission.SPECIAL_HEALTH)


def documents_of(user, family: SpecialFamily, *, health: bool = True) -> list[FamilyDocument]:
    """The papers that `user` may open, in the order of their kinds; without `health` none of illness."""
    documents = FamilyDocument.objects.visible_to(user).filter(
        family=family, removed_at__isnull=True
    )
    if not (health and user.may(Permission.SPECIAL_HEALTH)):
        documents = documents.exclude(kind__in=HEALTH_DOCUMENTS)
    return in_order(documents)


def in_order(documents: QuerySet) -> list[FamilyDocument]:
    """Papers in the order in which an inspection asks for them: that of DocumentKind, then by age."""
    order = {kind: place for place, kind in enumerate(DocumentKind.values)}
    found = documents.select_related("uploaded_by", "record").order_by("pk")
    return sorted(found, key=lambda one: order[one.kind])


def missing(family: SpecialFamily, there: set[str]) -> list[str]:
    """The kinds of paper that such a family's archive should have and hasn't, in words."""
    expected = [EXPECTED_OF_ALL[0], EXPECTED.get(family.kind), *EXPECTED_OF_ALL[1:]]
    return [DocumentKind(kind).label for kind in expected if kind and kind not in there]


def kinds_there(families) -> dict[int, set[str]]:
    """{family's key: kinds of papers that it has}, in one query."""
    found: dict[int, set[str]] = {}
    rows = FamilyDocument.objects.filter(family__in=families, removed_at__isnull=True)
    for family, kind in rows.order_by().values_list("family", "kind").distinct():
        found.setdefault(family, set()).add(kind)
    return found


def content_of(document: FamilyDocument) -> bytes | None:
    """The file as it was kept; None where it is gone or is another one."""
    content = sealed.read(FOLDER, document.file)
    same = content is not None and hashlib.sha256(content).hexdigest() == document.sha256
    return content if same else None


def file_name(document: FamilyDocument) -> str:
    """村名、户编号、名称 and the ending, safe in every file system."""
    household = document.family.household
    place = f"{household.village.name}{household.number}"
    return f"{safe_name(f'{place}_{document.title}')}.{ENDING_OF[document.content_type]}"


def safe_name(text: str) -> str:
    """`text` as a part of a file's name: no path, no control or turning characters, not too long."""
    # Characters that are newer than Python's tables are rare names: they stay.
    visible = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return _NOT_IN_NAMES.sub("_", visible).strip(" .")[:_LONGEST_NAME].rstrip(" .") or "材料"
