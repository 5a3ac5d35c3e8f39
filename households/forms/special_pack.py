"""What somebody says when asking for the inspection pack."""

from django import forms

from fpadmin.exports.models import Export
from fpadmin.exports.packs import Pack
from households.forms.base import choose

Purpose = Export.Purpose


class PackForm(forms.Form):
    """Which families, with or without health, and what for. Only what `user` may have is offered."""

    scope = forms.ChoiceField(label="范围", widget=forms.RadioSelect)
    parts = forms.MultipleChoiceField(
        label="另外装入", required=False, widget=forms.CheckboxSelectMultiple
    )
    purpose = forms.ChoiceField(
        label="用途", choices=choose(Purpose.choices), error_messages={"required": "请选择用途。"}
    )
    note = forms.CharField(
        label="用途说明",
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
        help_text="写明哪个单位、什么检查。户数超过限量时，审批人会看到。",
        error_messages={"required": "请写明用途。"},
    )

    def __init__(self, data=None, *, user, pack: Pack, scopes: list[tuple[str, str]]):
        super().__init__(data, initial={"scope": scopes[0][0], "purpose": Purpose.INSPECTION.value})
        self.fields["scope"].choices = scopes
        parts = [(part.key, part.label) for part in pack.parts_for(user)]
        self.fields["parts"].choices = parts
        self.fields[
            "parts"
        ].help_text = (
            "死亡证明、残疾材料、死亡原因和体检结果。不勾选时只列出名称；勾选会单独留下记录。"
        )
        if not parts:
            del self.fields["parts"]

    def values(self) -> dict:
        """What the service takes."""
        return {
            "scope": self.cleaned_data["scope"],
            "parts": self.cleaned_data.get("parts", []),
            "purpose": self.cleaned_data["purpose"],
            "note": self.cleaned_data["note"],
        }
