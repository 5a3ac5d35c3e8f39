"""升学加分: everybody on the roll with what was recorded, year by year. Nothing here is paid."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, WIDE, DayColumn
from fpadmin.ui.templatetags.ui import NOTHING
from households import searches
from subsidies.models import Enrolment
from subsidies.oneoff import exams
from subsidies.oneoff.people_list import (
    PERSON_COLUMNS,
    PeopleFilter,
    PeopleTable,
    place_of,
    years_from,
)

KEY, URL = "exam-points", "subsidies:exam-list"
NONE = "none"


def rows(asked: Asked) -> QuerySet:
    """Everybody on the roll whom the user may see."""
    return exams.candidates(Enrolment.objects.visible_to(asked.user).for_list())


class ExamFilter(PeopleFilter):
    """Conditions of the list."""

    year = django_filters.ChoiceFilter(
        label="年度", field_name="exam_year", choices=[], empty_label="全部"
    )
    exam = django_filters.ChoiceFilter(
        label="考试", choices=[*exams.Exam.choices, (NONE, "未登记")], method="by_exam",
        empty_label="全部",
    )  # fmt: skip

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.form.fields["year"].choices = years_from(request.day.year)

    def by_exam(self, queryset, name, value):
        return queryset.filter(exam__isnull=True) if value == NONE else queryset.filter(exam=value)


class ExamTable(PeopleTable):
    """One candidate a row."""

    born = DayColumn("出生日期", accessor="resident__birth_date")
    exam_year = tables.Column("年度", attrs=NOWRAP, orderable=True)
    exam = tables.Column("考试", empty_values=())
    points = tables.Column("加分", attrs=NUMERIC)
    school = tables.Column("学校或准考证", attrs=WIDE)
    acts = tables.Column("操作", empty_values=(), attrs=NOWRAP)

    class Meta:
        model = Enrolment
        fields = (
            "name", "id_number", "village", "household", "born", "exam_year", "exam", "points",
            "school", "acts",
        )  # fmt: skip

    def render_exam(self, value):
        return exams.exam_words(value)

    def render_acts(self, record):
        if not self.request.user.may(Permission.BENEFIT_EDIT):
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="登记：{}">登记</a>',
            reverse("subsidies:exam-edit", args=[record.pk]),
            record.resident.name,
        )


COLUMNS = (
    *PERSON_COLUMNS,
    ListColumn("born", "出生日期", ("resident__birth_date",), kind="date"),
    ListColumn("exam_year", "年度", ("exam_year",), kind="number", width=8),
    ListColumn("exam", "考试", ("exam",), write=exams.exam_words, width=26),
    ListColumn("points", "加分", ("points",), kind="number", width=8),
    ListColumn("school", "学校或准考证", ("school",), width=24),
    ListColumn("acts", "操作", ("resident__name",), fixed=True, in_file=False),
)


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY, title="升学加分", unit="人", permission=Permission.BENEFIT_VIEW, url_name=URL,
            queryset=rows, table_class=ExamTable, filter_class=ExamFilter, columns=COLUMNS,
            name_of=lambda row: row.resident.name, place_of=place_of,
        )
    )  # fmt: skip
    searches.register_list(KEY, URL, ExamFilter)
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
