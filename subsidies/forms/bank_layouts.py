"""Choosing, adding and changing how a bank wants its file."""

from django import forms
from django.http import QueryDict

from subsidies.bank_files.layouts import (
    CONSTANT,
    FIELDS,
    MOST_COLUMNS,
    Column,
    Layout,
    fault_of,
)
from subsidies.models import BankLayout

NO_COLUMN = [("", "（不用）")]
TAB = "tab"  # a choice whose value is white space would be stripped on its way
SEPARATORS = [("|", "竖线 |"), (",", "逗号 ,"), (";", "分号 ;"), (TAB, "制表符")]
PARTS = ("field", "heading", "text")


class ChooseForm(forms.Form):
    """Which layout a batch's file is written in."""

    layout = forms.ChoiceField(label="银行文件格式", widget=forms.RadioSelect)

    def __init__(self, data=None, *, choices: list[tuple[str, str]]):
        super().__init__(data, initial={"layout": choices[0][0]})
        self.fields["layout"].choices = choices


class LayoutForm(forms.Form):
    """A layout; its columns stand in the order of the file. It begins with `layout` where given."""

    name = forms.CharField(label="名称", max_length=60, help_text="如农村信用社代发表")
    format = forms.ChoiceField(label="格式", choices=BankLayout.Format)
    encoding = forms.ChoiceField(
        label="编码", choices=BankLayout.Encoding,
        help_text="只对文本有用。名字里有生僻字的用GB18030",
    )  # fmt: skip
    separator = forms.ChoiceField(label="分隔符", choices=SEPARATORS, help_text="只对文本有用")
    has_heading = forms.BooleanField(label="首行写列名", required=False)
    has_totals = forms.BooleanField(label="末行写合计", required=False)
    is_active = forms.BooleanField(label="在用", required=False)

    def __init__(self, data=None, *, initial: dict):
        super().__init__(data, initial=initial)
        fields = NO_COLUMN + [(key, field.label) for key, field in FIELDS.items()]
        for at in range(MOST_COLUMNS):
            self.fields[f"field_{at}"] = forms.ChoiceField(
                label=f"第{at + 1}列", choices=fields, required=False
            )
            self.fields[f"heading_{at}"] = forms.CharField(
                label=f"第{at + 1}列的列名", max_length=30, required=False
            )
            self.fields[f"text_{at}"] = forms.CharField(
                label=f"第{at + 1}列的固定文字", max_length=60, required=False, strip=False
            )

    @staticmethod
    def initial_from(layout: Layout, *, is_active: bool = True) -> dict:
        """What the form shows of a layout."""
        shown = {
            "name": layout.name, "format": layout.format, "encoding": layout.encoding,
            "separator": TAB if layout.separator == "\t" else layout.separator,
            "has_heading": layout.has_heading, "has_totals": layout.has_totals,
            "is_active": is_active,
        }  # fmt: skip
        for at, column in enumerate(layout.columns):
            shown |= {f"{part}_{at}": getattr(column, part) for part in PARTS}
        return shown

    def initial_of(self, row: BankLayout) -> dict:
        """The same of a stored one, for two edits at once."""
        return self.initial_from(Layout.of_row(row), is_active=row.is_active)

    def rows(self) -> list[tuple[int, list[forms.BoundField]]]:
        """(its place, its three fields) of each column."""
        return [(at, [self[f"{part}_{at}"] for part in PARTS]) for at in range(MOST_COLUMNS)]

    def clean(self):
        data = super().clean()
        places, columns = [], []
        for at in range(MOST_COLUMNS):
            key, heading, text = (data.get(f"{part}_{at}", "") for part in PARTS)
            if key:
                places.append(at)
                usual = "" if key == CONSTANT else FIELDS[key].label.partition("（")[0]
                columns.append(Column(key, heading or usual, text if key == CONSTANT else ""))
        separator = data.get("separator", "")
        self.layout = Layout(
            data.get("name", ""), data.get("format", ""), data.get("encoding", ""),
            "\t" if separator == TAB else separator, data["has_heading"], data["has_totals"],
            tuple(columns),
        )  # fmt: skip
        if not self.errors and (fault := fault_of(self.layout)):
            at, words = fault
            self.add_error(None if at is None else f"field_{places[at]}", words)
        return data


def moved(data: QueryDict, step: str) -> QueryDict:
    """The posted form with one column a place up or down: step is up-N or down-N."""
    way, _, number = step.partition("-")
    one = int(number) if number.isdecimal() and len(number) < 3 else -1
    other = one - 1 if way == "up" else one + 1
    changed = data.copy()
    if min(one, other) >= 0 and max(one, other) < MOST_COLUMNS:
        for part in PARTS:
            first, second = f"{part}_{one}", f"{part}_{other}"
            changed[first], changed[second] = data.get(second, ""), data.get(first, "")
    return changed
