"""What the lists of people on the rolls of single policies share: search, place, and person columns."""

import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin.identity import mask_id_number
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.listing import ListColumn
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NameColumn, Table
from fpadmin.ui.templatetags.ui import mask_id
from households import searches, selectors
from households.filters import SearchFilter
from households.models import Resident

FIRST_YEAR = 2004


class PeopleFilter(SearchFilter):
    """A search by name or number, and the village."""

    village = NamedFilter(
        label="村（社区）",
        field_name="resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def found(self, queryset: QuerySet, search: searches.Search):
        people = Resident.objects.visible_to(self.request.user).filter(search.matches())
        return queryset.filter(resident__in=people.values("pk"))


class PeopleTable(Table):
    """One line of a roll a row; the name leads to its page."""

    name = NameColumn(
        "姓名", accessor="resident__name", orderable=True,
        order_by=("resident__name_initials", "resident__name"),
        linkify=lambda record: record.get_absolute_url(),
    )  # fmt: skip
    id_number = tables.Column(
        "公民身份号码", accessor="resident__id_number", attrs=NOWRAP_WIDE, empty_values=()
    )
    village = tables.Column(
        "村（社区）", accessor="resident__village__name", attrs=NOWRAP, orderable=True,
        order_by=("resident__village__path", "resident__household__number"),
    )  # fmt: skip
    household = tables.Column("户编号", accessor="resident__household__number", attrs=NOWRAP)

    def called(self, record):
        return record.resident.name

    def render_id_number(self, value):
        return mask_id(value)


PERSON_COLUMNS = (
    ListColumn("name", "姓名", ("resident__name",), fixed=True),
    ListColumn(
        "id_number", "公民身份号码", ("resident__id_number",), kind="code", mask=mask_id_number,
        width=22,
    ),
    ListColumn("village", "村（社区）", ("resident__village__name",), width=16),
    ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
)  # fmt: skip


def place_of(record) -> str:
    """Village and household, under the name on a confirm page."""
    return f"{record.resident.village.name}　{record.resident.household}"


def years_from(today_year: int) -> list[tuple[str, str]]:
    """The years to choose from, the newest first."""
    return [(str(year), f"{year}年") for year in range(today_year, FIRST_YEAR - 1, -1)]
