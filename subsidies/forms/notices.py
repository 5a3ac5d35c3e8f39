"""Forms of public notices: post one, its photo, an objection, what looking into it showed."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from fpadmin.identity import half_width
from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import choose
from households.forms.special_documents import DocumentField
from subsidies.models import Application, NoticeLine, Objection

# An office's line, with or without the area code, or a short public number: never a mobile telephone.
_OFFICE_LINE = re.compile(r"(?:(010|02\d|0[3-9]\d\d)-?)?([2-8]\d{6,7})(?:-(\d{1,4}))?|(1\d{4})")


class ApplicantsField(forms.ModelMultipleChoiceField):
    """Ticks beside the people that wait to be posted."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, application: Application) -> str:
        household = application.resident.household
        group = f"{household.group.name}　" if household.group else ""
        grade = f"　{application.grade}" if application.grade else ""
        return f"{application.resident.name}　{group}{household}{grade}"


class NoticeForm(forms.Form):
    """Who stands on the notice, since when it hangs, where, and who takes objections."""

    applications = ApplicantsField(
        label="公示对象",
        queryset=None,
        error_messages={
            "required": "请至少勾选一位申请人。",
            "invalid_choice": "有人刚被列入别的公示或退回，请重新勾选。",
        },
    )
    posted_on = FlexibleDateField(label="张贴日期", help_text="工作日从张贴的第二天算起。")
    place = forms.CharField(
        label="张贴地点", max_length=100, required=False, help_text="例如：村委会公示栏。"
    )
    phone = forms.CharField(
        label="异议受理电话",
        max_length=20,
        help_text="印在公示表上。填办公室固定电话，例如0871-68690000，不填个人手机。",
    )

    def __init__(self, data=None, *, waiting: QuerySet[Application], **kwargs):
        super().__init__(data, **kwargs)
        people = waiting.select_related("resident__household__group")
        self.fields["applications"].queryset = people
        if data is None:
            self.initial.setdefault("applications", [one.pk for one in people])

    def clean_phone(self):
        return office_line(self.cleaned_data["phone"])


class PhotoForm(forms.Form):
    """The photo of the board."""

    photo = DocumentField(
        pictures_only=True, error_messages={"no_pdf": "这里只能上传照片（JPG、PNG）。"}
    )


class LineField(forms.ModelChoiceField):
    """One of the people who stand on the notice."""

    def label_from_instance(self, line: NoticeLine) -> str:
        resident = line.application.resident
        return f"{resident.name}　{resident.household}"


class ObjectionForm(forms.Form):
    """Against whom, when, what, and by whom if they said so."""

    line = LineField(
        label="对谁有异议",
        queryset=None,
        empty_label="请选择",
        error_messages={
            "required": "请选择对谁有异议。",
            "invalid_choice": "这位申请人不在公示上，或者已经撤下。",
        },
    )
    raised_on = FlexibleDateField(label="提出日期")
    raised_by = forms.CharField(
        label="提出人",
        max_length=60,
        required=False,
        help_text="选填。匿名的不填；填了也只有办理异议的岗位能看到。",
    )
    content = forms.CharField(
        label="异议内容", max_length=500, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, data=None, *, lines: QuerySet[NoticeLine], **kwargs):
        super().__init__(data, **kwargs)
        self.fields["line"].queryset = lines

    def values(self) -> dict:
        """What services.notices.record_objection() takes."""
        values = dict(self.cleaned_data)
        return {"application": values.pop("line").application, **values}


class DecisionForm(forms.Form):
    """Whether the objection holds, and what was found."""

    outcome = forms.ChoiceField(label="处理结果", choices=choose(Objection.Outcome.choices))
    finding = forms.CharField(
        label="核实情况",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="写明怎么核实、结论是什么。成立的，这段话作为退回原因告诉经办人。",
    )


def office_line(text: str) -> str:
    """An office's telephone as the sheet prints it: 0871-68690000. Raises for a mobile one."""
    digits = half_width(text).replace(" ", "").replace("—", "-")
    found = _OFFICE_LINE.fullmatch(digits)
    if not found:
        raise ValidationError(
            "请填办公室的固定电话，例如0871-68690000。公示表贴在外面，不能用个人手机号。"
        )
    area, number, extension, short = found.groups()
    return "-".join(filter(None, (area, number, extension, short)))
