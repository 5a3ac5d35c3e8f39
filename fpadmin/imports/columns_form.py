"""The form on which an office says which heading is which column, and what the file's words mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django import forms
from django.core.exceptions import ValidationError

from fpadmin.imports import outline
from fpadmin.imports.kinds import KINDS, Column
from fpadmin.imports.layouts import Layout, Layouts
from fpadmin.imports.models import ImportBatch
from fpadmin.imports.outline import Candidate, Heading
from fpadmin.imports.widgets import CellError, widget_for

LEFT_OUT = [("", "不导入")]
NEW_WORDS = "有些写法系统不认识，请在下面选择对应的意思。"


@dataclass(frozen=True)
class HeadingRow:
    """One heading of the file with its field."""

    heading: Heading
    field: forms.BoundField


@dataclass(frozen=True)
class WordsRow:
    """The words of one heading that the column doesn't know, each with its field."""

    heading: Heading
    column: Column
    fields: list[forms.BoundField]


class ColumnsForm(forms.Form):
    """`layout` of a valid form is what to remember."""

    name = forms.CharField(
        label="这种表的名称",
        max_length=30,
        help_text="例如“公安导出”。以后上传同样表头的文件，自动照此读取。",
        error_messages={"required": "请给这种表起个名称。", "max_length": "名称最多30个字。"},
    )

    def __init__(
        self,
        data=None,
        *,
        batch: ImportBatch,
        candidate: Candidate,
        today: date,
        layouts: Layouts,
    ):
        super().__init__(data)
        self.kind, self.candidate, self.today = KINDS[batch.kind], candidate, today
        known = layouts.get(candidate.fingerprint, Layout())
        if batch.layout and batch.layout.fingerprint == candidate.fingerprint:
            self.fields["name"].initial = batch.layout.name
        self._add_headings(known)
        self._add_fixed(known)
        self._add_words(known)

    def _add_headings(self, known: Layout) -> None:
        choices = LEFT_OUT + [
            (c.key, f"{c.heading}（必填）" if c.required else c.heading) for c in self.kind.columns
        ]
        guessed = outline.guesses(self.kind, self.candidate)
        for place, heading in enumerate(self.candidate.headings):
            if heading.name:
                initial = known.columns.get(heading.name, "") if known.columns else None
                self.fields[f"c{place}"] = forms.ChoiceField(
                    label=heading.name,
                    choices=choices,
                    required=False,
                    initial=guessed.get(place, "") if initial is None else initial,
                )

    def _add_fixed(self, known: Layout) -> None:
        for column in self.kind.columns:
            if column.may_be_fixed:
                choices = ["是", "否"] if column.type == "bool" else column.choices
                field = (
                    forms.ChoiceField(choices=[("", "不填"), *((c, c) for c in choices)])
                    if choices
                    else forms.CharField(max_length=column.max_length)
                )
                field.label, field.required = column.heading, False
                field.help_text = "必填的列" if column.required else ""
                field.initial = known.fixed.get(column.key, "")
                self.fields[f"f_{column.key}"] = field

    def _add_words(self, known: Layout) -> None:
        """A field for each word that its column doesn't take; shown at first as far as guessed."""
        self._new_words = False
        for place, heading in enumerate(self.candidate.headings):
            column = self._column_of(place)
            if column is None:
                continue
            choices = ("是", "否") if column.type == "bool" else column.choices
            for n, word in enumerate(outline.unknown_words(column, heading, self.today)):
                said = known.words.get(column.key, {}).get(word)
                name = f"w{place}_{column.key}_{n}"
                self.fields[name] = forms.ChoiceField(
                    label=f"{heading.name}“{word}”",
                    choices=[("", "不对应，列为错误"), *((c, c) for c in choices)],
                    required=False,
                    initial=outline.guessed_word(column, word) if said is None else said,
                )
                self._new_words |= self.is_bound and name not in self.data

    def _column_of(self, place: int) -> Column | None:
        field = self.fields.get(f"c{place}")
        if field is None:
            return None
        key = self.data.get(f"c{place}", "") if self.is_bound else field.initial
        return next((c for c in self.kind.columns if c.key == key), None)

    # For the page ----------------------------------------------------------------------------

    def heading_rows(self) -> Iterator[HeadingRow]:
        """The file's headings with their samples."""
        for place, heading in enumerate(self.candidate.headings):
            if heading.name:
                yield HeadingRow(heading, self[f"c{place}"])

    def fixed_fields(self) -> list[forms.BoundField]:
        """The columns that the file doesn't have and that may have one value for all of it."""
        places = range(len(self.candidate.headings))
        mapped = {column.key for place in places if (column := self._column_of(place))}
        names = [name for name in self.fields if name.startswith("f_")]
        return [
            self[name]
            for name in names
            if name.removeprefix("f_") not in mapped or self[name].errors
        ]

    def words_rows(self) -> Iterator[WordsRow]:
        """The words to explain, heading by heading."""
        for place, heading in enumerate(self.candidate.headings):
            column = self._column_of(place)
            fields = [self[n] for n in self.fields if column and n.startswith(f"w{place}_")]
            if fields:
                yield WordsRow(heading, column, fields)

    # Validation ------------------------------------------------------------------------------

    def clean(self):
        values = super().clean()
        columns: dict[str, str] = {}
        for place, heading in enumerate(self.candidate.headings):
            key = values.get(f"c{place}")
            if key in columns.values():
                label = self.kind.column(key).heading
                self.add_error(f"c{place}", f"“{label}”已对应别的列，只能对应一列。")
            elif key:
                columns[heading.name] = key
        fixed = self._fixed(values, set(columns.values()))
        there = {*columns.values(), *fixed}
        missing = [c.heading for c in self.kind.columns if c.required and c.key not in there]
        if missing:
            raise ValidationError(
                f"还缺必填列：{'、'.join(missing)}。请选择对应的列，或填写固定的值。"
            )
        if self._new_words:
            raise ValidationError(NEW_WORDS)
        self.layout = Layout(columns, fixed, self._words(values))
        return values

    def _fixed(self, values: dict, mapped: set[str]) -> dict[str, str]:
        fixed = {}
        for column in self.kind.columns:
            value = (values.get(f"f_{column.key}") or "").strip()
            if not value:
                continue
            if column.key in mapped:
                self.add_error(f"f_{column.key}", "文件里已有这一列，不用再填固定的值。")
                continue
            try:
                widget_for(column, self.today).clean(value)
            except CellError as error:
                self.add_error(f"f_{column.key}", str(error))
            else:
                fixed[column.key] = value
        return fixed

    def _words(self, values: dict) -> dict[str, dict[str, str]]:
        words: dict[str, dict[str, str]] = {}
        for place, heading in enumerate(self.candidate.headings):
            column = self._column_of(place)
            if column is None:
                continue
            for n, word in enumerate(outline.unknown_words(column, heading, self.today)):
                ours = values.get(f"w{place}_{column.key}_{n}")
                if ours:
                    words.setdefault(column.key, {})[word] = ours
        return words
