"""Lists of accounts, roles and regions."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from fpadmin.accounts.presenters import account_state, is_locked
from fpadmin.ui.tables import DayColumn, NameColumn, NumberColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import status_tag


class AccountTable(Table):
    """Accounts of a place: who, which role, in which state."""

    name = NameColumn(linkify=("accounts:account-detail", {"pk": tables.A("pk")}))
    username = tables.Column(orderable=True)
    role = tables.Column(orderable=True)
    region = tables.Column(verbose_name="所属区划", accessor="region__name")
    state = tables.Column(verbose_name="状态", empty_values=())
    last_login = TimeColumn(verbose_name="最近登录", orderable=True)

    def render_state(self, record):
        return status_tag(*account_state(record, timezone.now()))


class RoleTable(AccountTable):
    """The same accounts for the security administrator: change the role, end a lock."""

    name = NameColumn()
    acts = tables.Column(verbose_name="操作", empty_values=())

    class Meta:
        sequence = ("name", "username", "role", "region", "state", "last_login", "acts")

    def render_acts(self, record):
        return render_to_string(
            "accounts/_role_acts.html",
            {"account": record, "is_locked": is_locked(record, timezone.now())},
            request=self.request,
        )


class RegionTable(Table):
    """Regions in order of the tree."""

    name = NameColumn()
    code = tables.Column()
    level = tables.Column()
    urban_rural = tables.Column()
    below = NumberColumn(verbose_name="下级")
    valid_from = DayColumn(verbose_name="启用")
    valid_until = DayColumn(verbose_name="停用")

    def render_name(self, record):
        url = reverse("accounts:region-detail", args=[record.code])
        return format_html('<a href="{}">{}</a>', url, record.name)
