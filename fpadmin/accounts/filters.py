"""Filter bars of the account and region lists."""

import django_filters
from django.db.models import Q
from django.utils import timezone

from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.ui.filters import FilterSet

STATES = [
    ("active", "启用"),
    ("temporary", "待改密码"),
    ("locked", "已锁定"),
    ("disabled", "已停用"),
]


class AccountFilter(FilterSet):
    """Accounts by role, state and place. Names are personal and searched by POST instead."""

    role = django_filters.ChoiceFilter(label="角色", choices=Role.choices, empty_label="全部")
    state = django_filters.ChoiceFilter(
        label="状态", choices=STATES, empty_label="全部", method="filter_state"
    )
    place = django_filters.CharFilter(label="区划代码", method="filter_place")

    class Meta:
        model = User
        fields = ()

    def filter_state(self, accounts, name, value):
        return accounts.in_state(value, timezone.now())

    def filter_place(self, accounts, name, value):
        return accounts.filter(region__path__contains=f"{value.strip()}.")


class RegionFilter(FilterSet):
    """Regions by code or name, level, and whether they are in force today."""

    q = django_filters.CharFilter(label="代码或名称", method="filter_words")
    level = django_filters.ChoiceFilter(label="级别", choices=Region.Level, empty_label="全部")
    urban_rural = django_filters.ChoiceFilter(
        label="城乡", choices=Region.UrbanRural, empty_label="全部"
    )

    class Meta:
        model = Region
        fields = ()

    def filter_words(self, regions, name, value):
        value = value.strip()
        return regions.filter(Q(code__startswith=value) | Q(name__contains=value))
