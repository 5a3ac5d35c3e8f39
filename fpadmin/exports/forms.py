"""What somebody says when asking for a file, and when declining one."""

from django import forms

from fpadmin.accounts.permissions import Permission
from fpadmin.exports.models import Export
from fpadmin.ui.columns import columns_for
from fpadmin.ui.listing import ListSpec


class ExportForm(forms.Form):
    """Scope, columns, masked or not, and what for. Only what `user` may have is offered."""

    scope = forms.ChoiceField(label="范围", widget=forms.RadioSelect)
    columns = forms.MultipleChoiceField(
        label="列",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选一列。"},
    )
    clear = forms.BooleanField(
        label="导出完整号码",
        required=False,
        help_text="不勾选时，证件号码、手机和账号只留首尾几位。勾选后要写说明，并单独留下记录。",
    )
    purpose = forms.ChoiceField(label="用途", choices=[("", "请选择"), *Export.Purpose.choices])
    note = forms.CharField(
        label="说明",
        max_length=200,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="导出完整号码或者超过限量时必须填写，审批人会看到。",
    )

    def __init__(self, data=None, *, user, spec: ListSpec, scopes: list[tuple[str, str]]):
        offered = [column for column in spec.columns if column.in_file]
        shown = {column.key for column in columns_for(spec, user)}
        super().__init__(
            data,
            initial={
                "scope": scopes[0][0],
                "columns": [column.key for column in offered if column.key in shown],
            },
        )
        self.spec = spec
        self.fields["scope"].choices = scopes
        self.fields["columns"].choices = [(column.key, column.label) for column in offered]
        if not user.may(Permission.EXPORT_CLEAR):
            del self.fields["clear"]

    def values(self) -> dict:
        """What the service takes."""
        chosen = set(self.cleaned_data["columns"])
        return {
            "scope": self.cleaned_data["scope"],
            "columns": [column for column in self.spec.columns if column.key in chosen],
            "clear": self.cleaned_data.get("clear", False),
            "purpose": self.cleaned_data["purpose"],
            "note": self.cleaned_data["note"].strip(),
        }


class RefusalForm(forms.Form):
    """Why an export is declined."""

    reason = forms.CharField(
        label="退回原因", max_length=200, error_messages={"required": "请写明退回的原因。"}
    )
