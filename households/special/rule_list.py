"""联系要求: the rules that concern a user, and the one that counts now."""

from dataclasses import dataclass
from datetime import date

import django_tables2 as tables
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from fpadmin.scoping import below
from fpadmin.ui.tables import NOWRAP, WIDE, NameColumn, Table
from fpadmin.ui.templatetags.ui import date_dash, status_tag
from households.models import CareRule
from households.special.rules import rule_book

LATER, NOW, PAST = "later", "now", "past"
STATES = {LATER: ("wait", "未生效"), NOW: ("ok", "执行中"), PAST: ("off", "已替换")}
DEFAULT_SOURCE = "系统默认（博西办发〔2018〕16号）"


@dataclass(frozen=True)
class InForce:
    """The rule that counts for a place today, and where it comes from."""

    rule: CareRule
    source: str
    since: date | None
    is_own: bool


def in_force(user, day: date) -> InForce:
    """The rule that counts for the user's own region."""
    rule = rule_book(day).of(user.region.path)
    if rule.pk is None:
        return InForce(rule, DEFAULT_SOURCE, None, False)
    return InForce(rule, rule.region.name, rule.from_on, rule.region_id == user.region_id)


def rules_for(user, day: date) -> QuerySet:
    """The rules of the user's region, of those below and of those above it, with their `state`.

    Those above are shown because they count here wherever the region has none of its own.
    """
    path = user.scope_path
    if not path:
        return CareRule.objects.none()
    codes = path.rstrip(".").split(".")
    above = [".".join(codes[:depth]) + "." for depth in range(1, len(codes))]
    newer = CareRule.objects.filter(
        region=OuterRef("region"), from_on__lte=day, from_on__gt=OuterRef("from_on")
    )
    return (
        CareRule.objects.filter(below(path, "region__path") | Q(region__path__in=above))
        .select_related("region", "set_by")
        .annotate(
            state=Case(
                When(from_on__gt=day, then=Value(LATER)),
                When(Exists(newer), then=Value(PAST)),
                default=Value(NOW),
                output_field=CharField(),
            )
        )
    )


class RuleTable(Table):
    """One rule a row."""

    from_on = NameColumn(attrs={"td": {"class": "fp-name fp-nowrap"}})
    region = tables.Column("适用区划", accessor="region__name", attrs=NOWRAP)
    state = tables.Column("状态", attrs=NOWRAP)
    contacts = tables.Column("每户联系人", accessor="contacts_required", attrs=WIDE)
    visits = tables.Column("联系和走访", accessor="contacts_per_month", attrs=WIDE)
    archive_age = tables.Column("建档年龄", attrs=NOWRAP)
    overdue_days = tables.Column("逾期报审核", attrs=NOWRAP)
    hotline = tables.Column(attrs=NOWRAP)
    document = tables.Column(attrs=WIDE)
    set_by = tables.Column("设定人", accessor="set_by__name", attrs=NOWRAP)

    class Meta:
        model = CareRule
        fields = (
            "from_on", "region", "state", "contacts", "visits", "archive_age", "overdue_days",
            "hotline", "document", "set_by",
        )  # fmt: skip

    def render_from_on(self, value):
        return date_dash(value)

    def render_state(self, value):
        return status_tag(*STATES[value])

    def render_contacts(self, record):
        return contacts_words(record)

    def render_visits(self, record):
        return f"每月{record.contacts_per_month}次，每年走访{record.visits_per_year}次"

    def render_archive_age(self, value):
        return f"满{value}周岁"

    def render_overdue_days(self, value):
        return f"{value}天"


def contacts_words(rule: CareRule) -> str:
    """How many contacts a rule asks for, and of which kinds."""
    kinds = f"，其中须有{'、'.join(rule.kinds_required)}" if rule.kinds_required else ""
    return f"{rule.contacts_required}名{kinds}"
