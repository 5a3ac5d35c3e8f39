"""The list of layouts, and which of them an office may choose from."""

from collections.abc import Mapping

import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.ui.tables import NOWRAP, WIDE, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import attribute
from subsidies.bank_files.layouts import SHIPPED, Layout
from subsidies.models import BankLayout

_SHIPPED = "shipped-"
_NAMES = {"\t": "制表符", "|": "竖线", ",": "逗号", ";": "分号"}


def all_layouts(user) -> QuerySet:
    """Those of the user's places and of the places above, which hold there too."""
    rows = BankLayout.objects.visible_to(user).select_related("region", "set_by")
    return rows.order_by("-is_active", "region__path", "name", "pk")


def choices_for(office: Region) -> Mapping[str, Layout]:
    """{key: layout} that files of the office may be written in: the shipped ones where it has none."""
    steps = office.path.split(".")[:-1]
    above = [".".join(steps[: n + 1]) + "." for n in range(len(steps))]
    rows = BankLayout.objects.filter(is_active=True, region__path__in=above)
    own = {str(row.pk): Layout.of_row(row) for row in rows.order_by("-region__path", "name", "pk")}
    return own or {f"{_SHIPPED}{key}": layout for key, layout in SHIPPED.items()}


def may_edit(user, row: BankLayout) -> bool:
    """Whoever sets layouts changes those of their own place and below."""
    return user.may(Permission.PAYMENT_LAYOUT) and row.region.path.startswith(user.scope_path)


def form_words(layout: Layout) -> str:
    """Format, encoding and separator in a word or two."""
    if not layout.is_text:
        return "Excel"
    separator = _NAMES.get(layout.separator, layout.separator)
    return f"文本，{layout.encoding.upper()}，{separator}分隔"


def column_words(layout: Layout) -> str:
    """The headings in order."""
    return "、".join(column.heading for column in layout.columns)


class LayoutTable(Table):
    """One layout a row."""

    name = NameColumn("名称", attrs={"td": {"class": "fp-name"}})
    region = tables.Column("适用区划", accessor="region__name", attrs=NOWRAP)
    format = tables.Column("格式", attrs=NOWRAP)
    held = tables.Column("列", accessor="columns", attrs=WIDE)
    is_active = tables.Column("在用", attrs=NOWRAP)
    set_by = tables.Column("设定人", accessor="set_by__name", attrs=NOWRAP)
    set_at = TimeColumn("设定时间")

    class Meta:
        model = BankLayout
        fields = ("name", "region", "format", "held", "is_active", "set_by", "set_at")

    def __init__(self, *args, user=None, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def render_name(self, value, record):
        if self.user is None or not may_edit(self.user, record):
            return value
        url = reverse("subsidies:layout-edit", args=[record.pk])
        return format_html('<a href="{}">{}</a>', url, value)

    def render_format(self, record):
        return form_words(Layout.of_row(record))

    def render_held(self, record):
        return column_words(Layout.of_row(record))

    def render_is_active(self, value):
        return attribute("在用" if value else "停用")
