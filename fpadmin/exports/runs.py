"""What the job `export` does: ask for the rows anew, write a sheet or a pack of them, keep it."""

import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial
from typing import BinaryIO

from django.db import transaction
from django.db.models import ExpressionWrapper, F, QuerySet, TextField
from django.utils import timezone

from fpadmin import crypto, dates
from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.crypto import EncryptedCharField
from fpadmin.exports import files, rules, selectors, workbook
from fpadmin.exports.models import Export
from fpadmin.exports.packs import PACKS, Pack, PackOrder
from fpadmin.exports.rules import Taken
from fpadmin.jobs.kinds import JobContext, JobFailed, LeaseLost
from fpadmin.ui.listing import LISTS, ListColumn, ListSpec, Selection, filter_of, unpack

State = Export.State
CHUNK = 2_000


def make(context: JobContext) -> dict:
    """Make the file of a granted export. Repeated, it changes nothing that is done.

    Rights, scope and limits are looked at as they are now: the account, the registry and the day's
    sum may have changed since it was asked for.
    """
    export = _own(context)
    if export.state == State.MADE:
        return {"export": export.pk}
    spec = _spec(export)
    selection = unpack(export.selection, user=context.by, day=dates.today())
    day = selection.asked.as_of
    queryset = selection.rows(spec)
    now = timezone.now()
    rows = queryset.order_by().count()
    _refuse_more(export, rows, now)
    password = files.make_password()
    head = _head(export, spec, selection, now)
    name = _file_name(export, day, now)
    with files.zipped(password) as archive:
        if export.pack:
            order = PackOrder(context.by, queryset, frozenset(export.columns), day, head)
            pack = _pack(export)
            _add_pack(context, archive, pack, order, rows)
            record = partial(pack.made, order)
        else:
            _add_sheet(context, archive, f"{name}.xlsx", export, queryset, head, rows, day)
            record = None
        _keep(context, export, f"{name}.zip", archive.finish(), password, rows, record)
    return {"export": export.pk, "rows": rows}


def _add_sheet(
    context: JobContext,
    archive: files.Zip,
    name: str,
    export: Export,
    queryset: QuerySet,
    head: workbook.SheetHead,
    rows: int,
    day: date,
) -> None:
    """The list as one workbook."""
    listed = LISTS[export.list_key].columns
    columns = [c for c in listed if c.key in export.columns and c.in_file]
    made = _Counter(context, rows)

    def write(stream) -> None:
        chunks = made.counted(cells(queryset, columns, clear=export.clear, day=day))
        sheet = [workbook.SheetColumn(c.label, _kind(c), c.width) for c in columns]
        workbook.write(stream, head, sheet, chunks, rows)

    archive.add(name, write)
    if made.rows != rows:
        raise JobFailed("导出的时候记录有变动，请重试。")


def _add_pack(
    context: JobContext, archive: files.Zip, pack: Pack, order: PackOrder, rows: int
) -> None:
    """The files of a pack, one after the other, in a zip of their own within the sealed one.

    A sealed zip shows the names of its files to everybody, and these tell whose papers they are.
    """

    def write(stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w") as inner:
            for file in pack.files(order):
                context.progress(min(file.done, rows), rows, "装入资料包")
                with inner.open(file.path, "w", force_zip64=True) as part:
                    file.write(part)

    archive.add(f"{pack.title}.zip", write)


def _own(context: JobContext) -> Export:
    """The export of a run, where it may be made for the person who asked."""
    export = (
        Export.objects.select_related("region", "requested_by")
        .filter(pk=context.params["export"])
        .first()
    )
    if export is None or not isinstance(context.by, User) or export.requested_by != context.by:
        raise JobFailed("没有这个导出申请。")
    if export.state not in (State.GRANTED, State.MADE):
        raise JobFailed("这个导出还没有批准，或者已经退回。")
    if export.needs_approval and export.decided_by_id in (None, export.requested_by_id):
        raise JobFailed("这个导出还没有由另一人批准。")
    if export.clear and not context.by.may(Permission.EXPORT_CLEAR):
        raise JobFailed("您的岗位已不能导出完整号码。")
    return export


def _spec(export: Export) -> ListSpec:
    """The list, where whoever asked may still see it."""
    spec = LISTS.get(export.list_key)
    if spec is None or not export.requested_by.may(spec.permission):
        raise JobFailed("您的岗位已不能查看这个列表。")
    return spec


def _pack(export: Export) -> Pack:
    """The pack, where whoever asked may still have it with the parts that were asked for."""
    pack, person = PACKS.get(export.pack), export.requested_by
    if pack is None or not person.may(pack.permission):
        raise JobFailed("您的岗位已不能导出这个资料包。")
    if not {part.key for part in pack.parts_for(person)} >= set(export.columns):
        raise JobFailed("您的岗位已不能导出所选的内容。")
    return pack


def _refuse_more(export: Export, rows: int, now: datetime) -> None:
    """More rows than were approved, or than one person may take alone, need a request of their own."""
    if not rows:
        raise JobFailed("没有可以导出的记录，可能已不在您的管辖范围内。")
    if export.needs_approval:
        if rows > export.rows:
            raise JobFailed(f"记录已增加到{rows:,}条，超过批准的{export.rows:,}条，请重新申请。")
        return
    before = selectors.taken_on(export.requested_by, now, except_pk=export.pk)
    this = Taken(rows, rows if export.has_bank else 0, rows if export.has_health else 0)
    over = rules.over_limit(before + this)
    if over:
        raise JobFailed(f"{over}，要由另一人审批，请重新申请。")


def _head(
    export: Export, spec: ListSpec, selection: Selection, now: datetime
) -> workbook.SheetHead:
    asked, person = selection.asked, export.requested_by
    chips = filter_of(spec, asked).chips(asked.conditions)
    words = "；".join(f"{chip.label}：{chip.text}" for chip in chips) or "无"
    if not selection.is_all:
        words = export.get_scope_display()
    return workbook.SheetHead(
        title=export.title,
        region=export.region.name,
        conditions=words,
        as_of=f"{timezone.localtime(now):%Y-%m-%d %H:%M}",
        by=f"{person.name}（{person.username}）",
        trace=export.trace,
    )


def cells(
    queryset: QuerySet, columns: list[ListColumn], *, clear: bool, day: date
) -> Iterator[list[tuple]]:
    """The rows as lists of cells, read from the server piece by piece.

    Encrypted columns come as they are stored and are opened here, with the key looked up once.
    """
    needs = list(dict.fromkeys(need for column in columns for need in column.needs))
    sealed = {
        need: field.context()
        for need in needs
        if isinstance(field := _field(queryset.model, need), EncryptedCharField)
    }
    raw = {
        f"sealed_{at}": ExpressionWrapper(F(need), output_field=TextField())
        for at, need in enumerate(sealed)
    }
    names = dict(zip(sealed, raw, strict=True))
    paths = [names.get(need, need) for need in needs]
    makers = [
        _maker(column, [needs.index(need) for need in column.needs], sealed, clear=clear, day=day)
        for column in columns
    ]
    rows = queryset.annotate(**raw).values_list(*paths).iterator(chunk_size=CHUNK)
    chunk: list[tuple] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield _transposed(chunk, makers)
            chunk = []
    if chunk:
        yield _transposed(chunk, makers)


def _transposed(chunk: list[tuple], makers: list[Callable]) -> list[tuple]:
    values = list(zip(*chunk, strict=True))
    return list(zip(*(make(values) for make in makers), strict=True))


def _maker(
    column: ListColumn, at: list[int], sealed: dict[str, str], *, clear: bool, day: date
) -> Callable[[list[tuple]], list]:
    """What makes a column's cells of the values that were read."""
    first = at[0]
    steps: list[Callable] = []
    if column.needs[0] in sealed:
        steps.append(crypto.decryptor(sealed[column.needs[0]]))
    if column.mask and not clear:
        steps.append(column.mask)
    if column.kind == "age":
        steps.append(lambda born: dates.age_on(born, day))
    if column.kind == "time":
        steps.append(timezone.localtime)

    def plain(values: list[tuple]) -> list:
        cells = values[first]
        for step in steps:
            cells = [step(cell) if cell else cell for cell in cells]
        return cells

    if column.write is None:
        return plain
    return lambda values: [
        column.write(*parts) for parts in zip(*(values[i] for i in at), strict=True)
    ]


def _field(model, path: str):
    """The model's column at the end of `path`; None for an annotation."""
    *way, last = path.split("__")
    for part in way:
        model = model._meta.get_field(part).related_model
    return next((f for f in model._meta.concrete_fields if f.name == last), None)


def _kind(column: ListColumn) -> str:
    return "number" if column.kind == "age" else column.kind


class _Counter:
    """Counts what goes through, tells the clerk, and stops where the job was cancelled."""

    def __init__(self, context: JobContext, total: int):
        self.rows = 0
        self._context, self._total = context, total

    def counted(self, chunks: Iterator[list[tuple]]) -> Iterator[list[tuple]]:
        for chunk in chunks:
            self._context.progress(self.rows, self._total, "写入文件")
            self.rows += len(chunk)
            yield chunk


def _file_name(export: Export, day: date, now: datetime) -> str:
    """单位_表名_期间_时间; the period of a list is its day."""
    return f"{export.region.name}_{export.title}_{day}_{timezone.localtime(now):%Y%m%d%H%M}"


def _keep(
    context: JobContext,
    export: Export,
    name: str,
    content: BinaryIO,
    password: str,
    rows: int,
    record: Callable[[], None] | None,
) -> None:
    """The file and the export that names it, or neither."""
    kept = files.keep(content)
    try:
        with transaction.atomic():
            context.check_fence()
            if not export.move(
                State.GRANTED, State.MADE, file=kept.name, file_name=name, size=kept.size,
                sha256=kept.sha256, password=password, made_at=timezone.now(), rows=rows,
            ):  # fmt: skip
                raise LeaseLost
            if record:
                record()
            log.record(
                "export.made", by=context.by, target=export, region_path=export.region.path,
                count=rows, changes={"trace": export.trace, "sha256": kept.sha256},
            )  # fmt: skip
    except BaseException:
        files.drop(kept.name)
        raise
