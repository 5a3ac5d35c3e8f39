"""Forms of the import: upload a workbook, confirm what the check found."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html

from fpadmin.imports import gate, selectors
from fpadmin.imports.kinds import KINDS, Decision, Unreadable
from fpadmin.ui.forms import FlexibleDateField

ALL_ROWS, GOOD_ROWS = "all", "good"


class UploadForm(forms.Form):
    """Which kind of workbook, from which day its changes count, and the file.

    Without the day where the kind chosen already has no use for it; `changed_on` is then today.
    """

    kind = forms.ChoiceField(
        label="类别",
        error_messages={
            "required": "请选择类别。",
            "invalid_choice": "您的岗位不能导入这一类工作簿，请另选。",
        },
    )
    changed_on = FlexibleDateField(
        label="变动日期",
        help_text="户、居住地、户口或联系人与登记不同的，从这一天起算。",
        error_messages={"required": "请填写变动日期。"},
    )
    file = forms.FileField(
        label="文件",
        allow_empty_file=True,  # the gate has the sentence for it
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.csv"}),
        error_messages={
            "required": "还没有选择文件。请选择要上传的xlsx、xls或csv文件。",
            "invalid": "文件没有传上来。请重新选择后再上传。",
            "max_length": "文件名超过200个字。请改短后重新上传。",
        },
    )

    def __init__(self, *args, user, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        kinds = [(kind.key, kind.sheet) for kind in selectors.kinds_for(user)]
        self.fields["kind"].choices = [("", "请选择"), *kinds]
        self.fields["changed_on"].initial = today
        chosen = KINDS.get(self["kind"].value())
        if chosen and not chosen.edits_registry:
            del self.fields["changed_on"]

    def clean_kind(self):
        return KINDS[self.cleaned_data["kind"]]

    def clean_changed_on(self):
        day = self.cleaned_data["changed_on"]
        if day > self.today:
            raise ValidationError("变动日期不能晚于今天。")
        return day

    @property
    def day(self):
        """From which day the changes count. Of a valid form."""
        return self.cleaned_data.get("changed_on") or self.today

    def clean_file(self):
        file = self.cleaned_data["file"]
        try:
            gate.check_size(file.size)
        except Unreadable as error:
            raise ValidationError(error.message)
        return file


class ConfirmForm(forms.Form):
    """All rows or the good ones. A batch without errors has nothing to choose."""

    how = forms.ChoiceField(
        label="有错误的行",
        widget=forms.RadioSelect,
        error_messages={"required": "请选择怎样导入。"},
    )

    def __init__(self, *args, batch, **kwargs):
        super().__init__(*args, **kwargs)
        if not batch.refused:
            del self.fields["how"]
            return
        self.fields["how"].choices = [
            (
                ALL_ROWS,
                _choice("全部正确后再导入", f"改好{batch.refused:,}行后重新上传，本次不写入。"),
            ),
            (
                GOOD_ROWS,
                _choice(
                    f"先导入正确的{batch.rows - batch.refused - batch.skipped:,}行",
                    f"{batch.refused:,}行退回，改好后只需上传这{batch.refused:,}行。",
                ),
            ),
        ]

    @property
    def good_rows(self) -> bool:
        """Whether the office chose to leave the wrong rows out. Of a valid form."""
        return self.cleaned_data.get("how") == GOOD_ROWS


class DoubtsForm(forms.Form):
    """What to do with each row that may mean somebody registered; `decisions` of a valid form."""

    CHOICES = (
        ("", "暂不决定（按新增导入）"),
        (Decision.SAME, "是同一人，更新"),
        (Decision.NEW, "不是同一人，新增"),
        (Decision.SKIP, "跳过这一行"),
    )

    def __init__(self, *args, doubts, records, **kwargs):
        super().__init__(*args, **kwargs)
        self.doubts, self.records = doubts, records
        for doubt in self.doubts:
            self.fields[f"d{doubt.pk}"] = forms.ChoiceField(
                label="怎样处理",
                choices=self.CHOICES,
                required=False,
                initial=doubt.decision,
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": "没有这个选项，请重新选择。"},
            )

    def rows(self):
        """(doubt, its field, the known record where the user may see it)."""
        return [
            (doubt, self[f"d{doubt.pk}"], self.records.get(doubt.target_id))
            for doubt in self.doubts
        ]

    @property
    def decisions(self) -> dict[int, str]:
        return {doubt.pk: self.cleaned_data[f"d{doubt.pk}"] for doubt in self.doubts}


def _choice(words: str, consequence: str):
    return format_html('<strong>{}</strong><br><span class="fp-hint">{}</span>', words, consequence)
