"""Which of two records stays, and whose value wins where they differ."""

from django import forms

from households.models import Duplicate, Resident
from households.side_by_side import Line, compare, older

FIRST, SECOND = "first", "second"
SIDES = [(FIRST, "第一份"), (SECOND, "第二份")]


class MergeForm(forms.Form):
    """Opened with the older record kept and nothing lost that only one of them knows."""

    keep = forms.ChoiceField(label="保留", choices=SIDES)
    versions_seen = forms.RegexField(
        r"^\d{1,9},\d{1,9}$", label="打开时的内容", widget=forms.HiddenInput
    )

    def __init__(self, data=None, *, pair: Duplicate):
        self.pair = pair
        kept = older(pair)
        super().__init__(
            data,
            initial={
                "keep": FIRST if kept == pair.first else SECOND,
                "versions_seen": f"{pair.first.row_version},{pair.second.row_version}",
            },
        )
        self.lines = compare(pair, kept)
        for line in self.lines:
            if line.choice:
                self.fields[line.choice] = forms.ChoiceField(
                    label=line.label, choices=SIDES, initial=line.taken
                )

    def rows(self) -> list[tuple[Line, str]]:
        """The lines, each with the side that is chosen so far."""
        return [(line, self[line.choice].value() if line.choice else "") for line in self.lines]

    @property
    def kept(self) -> Resident:
        return getattr(self.pair, self.cleaned_data["keep"])

    @property
    def merged(self) -> Resident:
        return self.pair.second if self.kept == self.pair.first else self.pair.first

    def taken(self) -> set[str]:
        """The choices in which the record that goes has the value that stays."""
        keep = self.cleaned_data["keep"]
        return {
            line.choice
            for line in self.lines
            if line.choice and self.cleaned_data[line.choice] != keep
        }

    def versions(self) -> list[int]:
        """The versions of the kept and the merged record as they were shown."""
        seen = [int(part) for part in self.cleaned_data["versions_seen"].split(",")]
        return seen if self.cleaned_data["keep"] == FIRST else seen[::-1]

    def outcome(self) -> list[tuple[str, str, str]]:
        """(field, the value that stays, the value that goes) wherever they differ."""
        outcome = []
        for line in self.lines:
            if not line.differs:
                continue
            side = self.cleaned_data[line.choice if line.choice else "keep"]
            pair = (line.first, line.second)
            outcome.append((line.label, *(pair if side == FIRST else pair[::-1])))
        return outcome
