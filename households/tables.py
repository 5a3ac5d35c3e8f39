"""The lists of residents and households."""

import django_tables2 as tables
from django.utils.html import format_html_join

from fpadmin import dates
from fpadmin.ui.tables import (
    NOWRAP,
    NOWRAP_WIDE,
    NUMERIC,
    WIDE,
    DayColumn,
    NameColumn,
    NumberColumn,
    Table,
    TimeColumn,
)
from fpadmin.ui.templatetags.ui import NOTHING, attribute, mask_account, mask_id, mask_phone
from households.models import Household, Resident
from households.presenters import age_words, ethnic_group_word, marks_of, place_of


class ResidentTable(Table):
    """One resident a row; numbers masked. households/lists.py says what each column reads."""

    # By pinyin, as an office files its cards; names of the same initials stand together.
    name = NameColumn(orderable=True, order_by=("name_initials", "name"), linkify=True)
    sex = tables.Column()
    age = tables.Column(
        "年龄", accessor="birth_date", orderable=True, order_by="-birth_date", attrs=NUMERIC
    )
    birth_date = DayColumn(orderable=True)
    id_number = tables.Column(attrs=NOWRAP_WIDE, empty_values=())
    place = tables.Column("村组", accessor="household", attrs=NOWRAP)
    household = tables.Column(
        "户编号",
        accessor="household__number",
        orderable=True,
        linkify=lambda record: record.household.get_absolute_url(),
    )
    phone = tables.Column("手机", attrs=NOWRAP)
    only_child_cert_no = tables.Column("独生子女证", attrs=NOWRAP)
    only_child_cert_date = DayColumn()
    first_marriage_date = DayColumn()
    bank = tables.Column("开户行")
    bank_account = tables.Column("账号", attrs=NOWRAP)
    death_date = DayColumn(orderable=True)
    created_at = TimeColumn(orderable=True)
    marks = tables.Column("标记", empty_values=(), accessor="pk")

    class Meta:
        model = Resident
        fields = (
            "name", "sex", "age", "birth_date", "id_number", "place", "household", "relation",
            "hukou", "residence", "marital", "first_marriage_date", "ethnicity", "education",
            "employment", "phone", "hukou_region_code", "only_child_cert_no",
            "only_child_cert_date", "disability_grade", "bank", "bank_account", "death_date",
            "created_at", "marks",
        )  # fmt: skip

    def render_age(self, value):
        return age_words(value, dates.today())

    def render_id_number(self, value):
        return mask_id(value)

    def render_phone(self, value):
        return mask_phone(value)

    def render_bank_account(self, value):
        return mask_account(value)

    def render_ethnicity(self, value):
        return ethnic_group_word(value)

    def render_place(self, record):
        return place_of(record.village, record.household.group)

    def render_marks(self, record):
        marks = marks_of(record)
        return format_html_join(" ", "{}", ((attribute(m),) for m in marks)) if marks else NOTHING


class HouseholdTable(Table):
    """One household a row. households/lists.py says what each column reads."""

    number = NameColumn(orderable=True, linkify=True)
    head = tables.Column("户主", accessor="head_name")
    place = tables.Column("村组", accessor="pk", attrs=NOWRAP)
    group = tables.Column("小组", accessor="group__name", attrs=NOWRAP)
    member_count = NumberColumn("人口")
    address = tables.Column(attrs=WIDE)
    low_income = tables.Column("低保", accessor="draws_low_income")
    created_at = TimeColumn(orderable=True)

    class Meta:
        model = Household
        fields = (
            "number", "head", "place", "group", "member_count", "address", "low_income",
            "created_at",
        )  # fmt: skip

    def render_place(self, record):
        return place_of(record.village, record.group)

    def render_low_income(self, value):
        return "享受" if value else NOTHING
