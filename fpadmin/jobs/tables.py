"""The list of jobs."""

import django_tables2 as tables

from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import Job
from fpadmin.jobs.presenters import job_state, share
from fpadmin.ui.tables import NUMERIC, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import NOTHING, status_tag


class JobTable(Table):
    """Jobs: what, in which state, who asked and when."""

    title = NameColumn(linkify=True)
    kind = tables.Column(verbose_name="类别")
    state = tables.Column()
    progress = tables.Column(attrs=NUMERIC, empty_values=())
    requested_by = tables.Column(
        verbose_name="发起人", accessor="requested_by__name", default="定时"
    )
    created_at = TimeColumn()
    finished_at = TimeColumn()

    def render_kind(self, value):
        return KINDS[value].label if value in KINDS else value

    def render_state(self, record):
        return status_tag(*job_state(record))

    def render_progress(self, record):
        return f"{share(record)}%" if record.state == Job.State.RUNNING else NOTHING
