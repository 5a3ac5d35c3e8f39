"""奖学金: the pupils of the roll by stage, and those whose stage ought to change."""

from functools import partial

import django_filters
import django_tables2 as tables
from django.db import transaction
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, DayColumn
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from households import searches
from subsidies.forms.oneoff import GradeForm, StageForm
from subsidies.models import Enrolment, EnrolmentChange, ExitReason
from subsidies.oneoff import stages
from subsidies.oneoff.grades import refusals
from subsidies.oneoff.people_list import PERSON_COLUMNS, PeopleFilter, PeopleTable, place_of
from subsidies.rolls import limits, roll_list
from subsidies.services.enrolments import propose_change
from subsidies.services.grades import set_grades

KEY, URL = "schooling", "subsidies:schooling-list"
DUE, EVERY, NO_STAGE = "due", "all", "none"
END = EnrolmentChange.Kind.END


def rows(asked: Asked) -> QuerySet:
    """Every line of the scholarship whose child the user may see."""
    return stages.pupils(Enrolment.objects.visible_to(asked.user).for_list(), asked.day)


class SchoolingFilter(PeopleFilter):
    """Conditions of the list. Without 学习情况 whoever is in a stage now."""

    grade = django_filters.ChoiceFilter(
        label="学段", choices=[*((one, one) for one in stages.STAGES), (NO_STAGE, "未登记")],
        method="by_stage", empty_label="全部",
    )  # fmt: skip
    standing = django_filters.ChoiceFilter(
        label="学习情况",
        choices=[(DUE, "应升学或结束"), *stages.WORDS.items(), (EVERY, "全部")],
        method="by_standing",
        empty_label="在读",
    )

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("standing"):
            return queryset
        return queryset.exclude(standing__in=(stages.ENDED, stages.FOLLOWED))

    def by_stage(self, queryset, name, value):
        return queryset.filter(grade="" if value == NO_STAGE else value)

    def by_standing(self, queryset, name, value):
        if value == EVERY:
            return queryset
        return queryset.filter(standing__in=stages.DUE if value == DUE else [value])


class SchoolingTable(PeopleTable):
    """One stage of one child a row."""

    born = DayColumn("出生日期", accessor="resident__birth_date")
    grade = tables.Column("学段", attrs=NOWRAP)
    start_month = tables.Column("起始", attrs=NOWRAP, orderable=True)
    end_month = tables.Column("最后发放", attrs=NOWRAP)
    standing = tables.Column("学习情况", attrs=NOWRAP)
    follows = tables.Column("接下来", accessor="grade", attrs=NOWRAP)
    acts = tables.Column("操作", empty_values=(), attrs=NOWRAP)

    class Meta:
        model = Enrolment
        fields = (
            "name", "id_number", "village", "household", "born", "grade", "start_month", "end_month",
            "standing", "follows", "acts",
        )  # fmt: skip

    def render_start_month(self, value):
        return roll_list.month_dash(value)

    def render_end_month(self, record):
        return roll_list.end_words(record.start_month, record.end_month)

    def render_standing(self, value):
        return status_tag(stages.TAGS[value], stages.WORDS[value])

    def render_follows(self, record):
        asks = record.standing in (*stages.DUE, stages.ENDED)
        return stages.next_words(record.grade) if asks else NOTHING

    def render_acts(self, record):
        user = self.request.user
        if record.standing in stages.DUE and user.may(Permission.BENEFIT_EDIT):
            target = reverse("subsidies:enrolment-change-create", args=[record.pk]) + "?kind=end"
            return _link(target, "结束本学段", record)
        if record.standing == stages.ENDED and user.may(Permission.BENEFIT_APPLY):
            target = reverse("subsidies:application-create", args=[record.resident_id])
            return _link(f"{target}?policy={stages.CODE}", "申请下一学段", record)
        return NOTHING


def _link(target: str, label: str, record: Enrolment):
    return format_html(
        '<a class="btn btn-plain btn-sm" href="{}" aria-label="{}：{}">{}</a>',
        target, label, record.resident.name, label,
    )  # fmt: skip


def counts_of(user, day) -> list[tuple[str, int]]:
    """How many are in each stage on the day, in the stages' order; without a stage last."""
    lines = Enrolment.objects.visible_to(user).filter(policy_code=stages.CODE).active_on(day)
    found = dict(lines.order_by().values_list("grade").annotate(Count("pk")))
    counts = [(stage, found.get(stage, 0)) for stage in stages.STAGES]
    return [*counts, ("未登记学段", found[""])] if found.get("") else counts


COLUMNS = (
    *PERSON_COLUMNS,
    ListColumn("born", "出生日期", ("resident__birth_date",), kind="date"),
    ListColumn("grade", "学段", ("grade",)),
    ListColumn("start_month", "起始年月", ("start_month",), write=roll_list.month_dash),
    ListColumn(
        "end_month", "最后发放年月", ("start_month", "end_month"), width=14, shown=False,
        write=lambda start, end: roll_list.end_words(start, end) if end else "",
    ),
    ListColumn("standing", "学习情况", ("standing",), write=stages.WORDS.get, width=20),
    ListColumn("follows", "接下来", ("grade", "standing"), in_file=False),
    ListColumn("acts", "操作", ("resident__name", "standing"), fixed=True, in_file=False),
)  # fmt: skip


def _end_refusals(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    """Lines of which the end may not be proposed, in the words of the rolls."""
    now, month, found = dates.now(), values["month"], {}
    for pk, standing in limits.standings(rows, [month]).items():
        if standing.is_waiting:
            found[pk] = limits.WAITING
            continue
        _, words = limits.refusal(standing, END, month, ExitReason.AGE, now)
        if words:
            found[pk] = words
    return found


@transaction.atomic
def _end(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    """Propose the end of each stage; those refused after all are named."""
    refused = {}
    for row in sorted(rows, key=lambda row: row.pk):  # as lines are locked elsewhere
        try:
            propose_change(
                by=by, enrolment=row, kind=END, month=values["month"], end_reason=ExitReason.AGE,
                note=values["note"], now=dates.now(),
            )  # fmt: skip
        except RuleViolation as violation:
            refused[row.pk] = violation.message
    return refused


def _grade_refusals(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    return refusals(rows, values["grade"])


def _set_grades(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
    return set_grades(by=by, enrolments=rows, grade=values["grade"])


def load() -> None:
    """Register the list and its acts, and that of lines without a grade. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY, title="奖学金", unit="人", permission=Permission.BENEFIT_VIEW, url_name=URL,
            queryset=rows, table_class=SchoolingTable, filter_class=SchoolingFilter,
            columns=COLUMNS, name_of=lambda row: row.resident.name, place_of=place_of,
        )
    )  # fmt: skip
    searches.register_list(KEY, URL, SchoolingFilter)
    acts.register(
        Act(
            KEY, "stage", "升学：结束本学段", Permission.BENEFIT_EDIT, form=StageForm, most=200,
            effect="提出结束本学段，等审核人同意后生效，再申请下一学段，",
            check=_end_refusals, apply=_end, order=10,
        )
    )  # fmt: skip
    grade = partial(
        Act, key="grade", label="补登学段或类别", permission=Permission.BENEFIT_EDIT, form=GradeForm,
        effect="登记等级、学段或类别，", check=_grade_refusals, apply=_set_grades, order=20,
    )  # fmt: skip
    for key in (KEY, roll_list.KEY, roll_list.SENSITIVE_KEY):
        acts.register(grade(key))
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
