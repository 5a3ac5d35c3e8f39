"""Papers of an archive: the field that takes a file or photo, the form to add one, the one to remove it."""

from django import forms
from django.core.exceptions import ValidationError

from households.forms.base import choose
from households.special import uploads
from households.special.documents import kinds_for


class DocumentField(forms.FileField):
    """A paper or photo, checked and made harmless: its value is an uploads.Paper.

    `pictures_only` refuses a PDF. A phone offers its camera beside the files, and hands over a JPEG.
    """

    default_error_messages = {
        "required": "还没有选择文件。请选择照片、扫描件或PDF。",
        "invalid": "文件没有传上来。请重新选择后再上传。",
        "max_length": "文件名太长。请改短后重新上传。",
        "no_pdf": "这里只能上传照片（JPG、PNG）。PDF请在“档案材料”里上传。",
    }

    def __init__(self, *, pictures_only=False, **kwargs):
        kwargs.setdefault("label", "照片" if pictures_only else "文件")
        kwargs.setdefault(
            "help_text",
            f"JPG或PNG{'' if pictures_only else '图片、PDF'}，不超过{uploads.limit_in_mb()}MB。"
            "照片里的位置和时间信息会去掉。",
        )
        accepted = "image/jpeg,image/png" + ("" if pictures_only else ",application/pdf")
        kwargs.setdefault("widget", forms.FileInput(attrs={"accept": accepted}))
        super().__init__(allow_empty_file=True, max_length=255, **kwargs)
        self.pictures_only = pictures_only

    def clean(self, data, initial=None):
        file = super().clean(data, initial)
        if not file:
            return None
        try:
            uploads.check_size(file.size)
            paper = uploads.paper_of(file.name, file.read())
        except uploads.Refused as refused:
            raise ValidationError(refused.message, code=refused.code) from None
        if self.pictures_only and not paper.is_picture:
            raise ValidationError(self.error_messages["no_pdf"], code="no_pdf")
        return paper


class DocumentForm(forms.Form):
    """Kind, name and file. Only the kinds that `user` may add are offered."""

    kind = forms.ChoiceField(
        label="材料类别",
        error_messages={
            "required": "请选择材料类别。",
            "invalid_choice": "您的岗位不能上传这一类材料，请另选。",
        },
    )
    title = forms.CharField(
        label="名称",
        max_length=80,
        required=False,
        help_text="例如“户口簿首页”。不填时用类别的名称。",
    )
    file = DocumentField()

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.kinds = kinds_for(user)
        self.fields["kind"].choices = choose(self.kinds)

    def values(self) -> dict:
        """What the service takes."""
        kind = self.cleaned_data["kind"]
        return {
            "kind": kind,
            "title": self.cleaned_data["title"] or dict(self.kinds)[kind],
            "paper": self.cleaned_data["file"],
        }


class RemovalForm(forms.Form):
    """Why a paper is removed."""

    reason = forms.CharField(
        label="删除原因", max_length=200, error_messages={"required": "请写明删除的原因。"}
    )
