"""Lists of batches, of their problems and of their changes."""

import django_tables2 as tables
from django.utils.html import format_html

from fpadmin.imports.models import ImportBatch, ImportChange, ImportIssue
from fpadmin.imports.presenters import batch_state, sheet_of
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, NameColumn, NumberColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import status_tag


class BatchTable(Table):
    """Uploaded workbooks, newest first."""

    file_name = NameColumn(linkify=True)
    kind = tables.Column()
    state = tables.Column()
    rows = NumberColumn(verbose_name="行数")
    created = NumberColumn(verbose_name="新增")
    updated = NumberColumn(verbose_name="更新")
    refused = NumberColumn(verbose_name="错误行")
    uploaded_by = tables.Column(accessor="uploaded_by__name", verbose_name="上传人")
    uploaded_at = TimeColumn(orderable=True)

    class Meta:
        model = ImportBatch
        fields = ()
        sequence = (
            "file_name", "kind", "state", "rows", "created", "updated", "refused", "uploaded_by",
            "uploaded_at",
        )  # fmt: skip

    def render_kind(self, record):
        return sheet_of(record)

    def render_state(self, record):
        return status_tag(*batch_state(record))


class IssueTable(Table):
    """Problems with the place that Excel shows."""

    numbered = False
    row = tables.Column(verbose_name="Excel位置", attrs=NOWRAP)
    severity = tables.Column(verbose_name="性质")
    column = tables.Column(verbose_name="列", attrs=NOWRAP)
    value = tables.Column(verbose_name="填写内容", attrs=WIDE)
    message = tables.Column(verbose_name="问题和改法", attrs=WIDE)

    class Meta:
        model = ImportIssue
        fields = ()
        sequence = ("row", "severity", "column", "value", "message")

    def render_row(self, record):
        return place(record)

    def render_severity(self, record):
        error = record.severity == ImportIssue.Severity.ERROR
        return status_tag("bad" if error else "warn", record.get_severity_display())


class ChangeTable(Table):
    """Old and new values of known records."""

    numbered = False
    target = NameColumn(verbose_name="名称")
    place = tables.Column(attrs=NOWRAP_WIDE)
    row = NumberColumn(verbose_name="Excel行")
    field = tables.Column()
    old = tables.Column(empty_values=())
    new = tables.Column(empty_values=())

    class Meta:
        model = ImportChange
        fields = ()
        sequence = ("target", "place", "row", "field", "old", "new")
        attrs = {"class": "table fp-table fp-fold fp-diff"}  # noqa: RUF012 - read by django-tables2

    def render_old(self, record):
        return format_html("<del>{}</del>", record.old or "（空）")

    def render_new(self, record):
        return format_html("<ins>{}</ins>", record.new or "（空）")


def place(issue: ImportIssue):
    """E1286 第1286行, as Excel shows it."""
    if not issue.row:
        return "整张表"
    row = format_html('<span class="fp-hint">第{}行</span>', issue.row)
    return format_html("<strong>{}</strong>　{}", issue.cell, row) if issue.cell else row
