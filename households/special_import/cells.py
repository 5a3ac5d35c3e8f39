"""The cell of a contact: 姓名;单位职务;电话;类别."""

import re
from dataclasses import dataclass

from fpadmin.crypto import digest
from fpadmin.identity import mask_phone
from fpadmin.imports.widgets import CellError
from households.models import ContactKind, ContactPerson

FORM = "应写成“姓名;单位职务;电话;类别”，用分号隔开"
KINDS = "、".join(ContactKind.values)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_LONGEST = {"姓名": "name", "单位职务": "post"}
_LONGEST_PHONE = 30


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as the cell names him. Post and phone may be blank."""

    name: str
    post: str
    phone: str
    kind: str
    digest: str  # of the phone

    @property
    def known_as(self) -> str:
        """The name as names are compared."""
        return folded(self.name)

    @property
    def shown(self) -> str:
        """For a preview: the phone masked."""
        return shown(self.name, self.post, self.phone, self.kind)


def folded(name: str) -> str:
    """A name without the blanks by which offices line up names of two characters."""
    return "".join(name.split())


def shown(name: str, post: str, phone: str, kind: str) -> str:
    """A contact in one line, the phone masked."""
    return ";".join((name, post, mask_phone(phone), kind))


def parse_contact(text: str) -> Contact:
    """The contact that a cell names. Raises CellError with what is wrong with which part."""
    parts = [part.strip() for part in text.split(";")]
    while len(parts) > 4 and not parts[-1]:
        parts.pop()
    if len(parts) != 4:
        no_kind = "" if set(parts) & set(ContactKind.values) else f"，缺类别（{KINDS}）"
        raise CellError("contact_form", f"{FORM}，现在有{len(parts)}段{no_kind}。请改写。")
    name, post, phone, kind = parts
    if not _LETTER.search(name):
        raise CellError("contact_form", f"{FORM}，第一段不是姓名。请改写。")
    if len(_DIGIT.findall(post)) >= 7:
        raise CellError("contact_form", f"{FORM}，第二段像是电话。请核对先后。")
    phone = phone.replace(" ", "").replace("-", "")
    if phone and not _DIGIT.search(phone):
        raise CellError("contact_form", f"{FORM}，第三段不是电话，没有电话可以空着。请改写。")
    if kind not in ContactKind.values:
        what = f"没有“{kind[:20]}”这个类别" if kind else "缺类别"
        raise CellError("contact_kind", f"{what}，第四段只能填：{KINDS}。")
    _refuse_long(name, post, phone)
    return Contact(name, post, phone, kind, digest(phone))


def _refuse_long(name: str, post: str, phone: str) -> None:
    for label, value in (("姓名", name), ("单位职务", post), ("电话", phone)):
        field = _LONGEST.get(label)
        most = ContactPerson._meta.get_field(field).max_length if field else _LONGEST_PHONE
        if len(value) > most:
            raise CellError("too_long", f"{label}最多{most}个字，现在{len(value)}个。请缩短。")
