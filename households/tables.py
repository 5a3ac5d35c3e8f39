"""The lists of residents and households."""

import django_tables2 as tables
from django.utils.html import format_html_join

from fpadmin import dates
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, WIDE, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, attribute, mask_id
from households.models import Household, Resident
from households.presenters import age_words, marks_of, place_of


class ResidentTable(Table):
    """One resident a row; numbers masked."""

    name = NameColumn(orderable=True, linkify=True)
    sex = tables.Column()
    age = tables.Column(
        "年龄", accessor="birth_date", orderable=True, order_by="-birth_date", attrs=NUMERIC
    )
    id_number = tables.Column(attrs=NOWRAP_WIDE, empty_values=())
    place = tables.Column("村组", accessor="household", attrs=NOWRAP)
    household = tables.Column(
        "户编号",
        accessor="household__number",
        orderable=True,
        linkify=lambda record: record.household.get_absolute_url(),
    )
    marks = tables.Column("标记", empty_values=(), accessor="pk")

    class Meta:
        model = Resident
        fields = (
            "name", "sex", "age", "id_number", "place", "household", "relation", "hukou", "residence",
            "marital", "marks",
        )  # fmt: skip

    def render_age(self, value):
        return age_words(value, dates.today())

    def render_id_number(self, value):
        return mask_id(value)

    def render_place(self, record):
        return place_of(record.village, record.household.group)

    def render_marks(self, record):
        marks = marks_of(record)
        return format_html_join(" ", "{}", ((attribute(m),) for m in marks)) if marks else NOTHING


class HouseholdTable(Table):
    """One household a row."""

    number = NameColumn(orderable=True, linkify=True)
    head = tables.Column("户主", accessor="head_name")
    place = tables.Column("村组", accessor="pk", attrs=NOWRAP)
    member_count = NumberColumn("人口")
    address = tables.Column(attrs=WIDE)

    class Meta:
        model = Household
        fields = ("number", "head", "place", "member_count", "address")

    def render_place(self, record):
        return place_of(record.village, record.group)
