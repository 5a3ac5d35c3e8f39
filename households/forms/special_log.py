"""Forms of the contact log: a visit, its correction, taking it back, and why a month was missed."""

from datetime import date, timedelta

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.special_documents import DocumentField
from households.models import (
    Channel,
    ContactRecord,
    FamilyContact,
    NeedKind,
    Purpose,
    SpecialFamily,
)
from households.services.special_log import DAYS_TO_SETTLE

NO_NEED = "没有"
OTHER = "其他"
MISSED_BECAUSE = (
    "全家外出，联系不上",
    "住院或在外地就医",
    "家属要求暂不联系",
    "联系人交接或请假",
    "已联系，没有及时登记",
    OTHER,
)


class RecordEditForm(forms.Form):
    """What a contact was: day, channel, purpose, what was asked for and what came of it."""

    happened_on = FlexibleDateField(label="联系日期")
    channel = forms.ChoiceField(
        label="怎样联系的", choices=Channel.choices, widget=forms.RadioSelect
    )
    purpose = forms.ChoiceField(
        label="为什么联系", choices=Purpose.choices, widget=forms.RadioSelect
    )
    request = forms.CharField(
        label="诉求",
        max_length=500,
        required=False,
        help_text="这一户说了什么、需要什么帮助。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    outcome = forms.CharField(
        label="办理情况",
        max_length=500,
        required=False,
        help_text="当场怎样答复、办了什么。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    @staticmethod
    def initial_of(record: ContactRecord) -> dict:
        """What the form shows of a record."""
        names = ("happened_on", "channel", "purpose", "request", "outcome")
        return {name: getattr(record, name) for name in names}


class TermField(forms.ModelChoiceField):
    """A contact of the family, with the term in which he could have met it."""

    def label_from_instance(self, obj: FamilyContact) -> str:
        return f"{obj.person.name}（{obj.person.kind}，{obj.term}）"


class OwnerField(forms.ModelChoiceField):
    """Who sees to a need: a contact of the family now, for nobody else can open its archive."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("label", "负责人")
        super().__init__(*args, queryset=FamilyContact.objects.none(), **kwargs)

    def offer(self, user, family: SpecialFamily) -> None:
        """Limit the choice to contacts of this family."""
        self.queryset = _terms(user, family).filter(ended_on__isnull=True)

    def label_from_instance(self, obj: FamilyContact) -> str:
        return f"{obj.person.name}（{obj.person.kind}）"


def _terms(user, family: SpecialFamily):
    terms = FamilyContact.objects.visible_to(user).filter(family=family)
    return terms.select_related("person").order_by("-started_on", "pk")


class RecordForm(RecordEditForm):
    """A visit with the needs raised in it; of the user's own terms, or with `all_terms` of anybody's."""

    contact = TermField(label="联系人", queryset=None, empty_label="请选择")
    needs = forms.MultipleChoiceField(
        label="需要帮助",
        choices=[*NeedKind.choices, (NO_NEED, NO_NEED)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    owner = OwnerField(label="跟办负责人", required=False, empty_label="就是联系人")
    due_on = FlexibleDateField(label="跟办期限", required=False)
    photo = DocumentField(pictures_only=True, required=False)

    field_order = ("contact", "happened_on", "channel", "purpose", "needs", "request", "outcome")

    def __init__(self, *args, user, family: SpecialFamily, all_terms: bool, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        terms = _terms(user, family)
        self.fields["contact"].queryset = terms = (
            terms if all_terms else terms.filter(person__user=user)
        )
        self.fields["owner"].offer(user, family)
        self.terms = list(terms)
        self.only_term = self.terms[0] if len(self.terms) == 1 else None
        self.initial.setdefault("contact", self._likely(user))
        # How the family was contacted is what the log proves: said, never proposed.
        self.initial.setdefault("purpose", Purpose.ROUTINE)
        self.initial.setdefault("due_on", today + timedelta(days=DAYS_TO_SETTLE))

    def clean_needs(self):
        needs = self.cleaned_data["needs"]
        if NO_NEED in needs and len(needs) > 1:
            raise forms.ValidationError(f"“{NO_NEED}”不能和别的需求一起选。")
        return [kind for kind in needs if kind != NO_NEED]

    def values(self) -> dict:
        """What services.record_visit takes."""
        values = dict(self.cleaned_data)
        term = values["owner"]
        return values | {"owner": term.person if term else None}

    def _likely(self, user) -> FamilyContact | None:
        """One's own term, else the only one."""
        mine = [t for t in self.terms if t.person.user_id == user.pk and t.ended_on is None]
        return mine[0] if mine else self.only_term


class VoidForm(forms.Form):
    """Why a record is taken back."""

    reason = forms.CharField(
        label="作废原因",
        max_length=200,
        help_text="例如：登记错了家庭。作废后仍能看到，不再计入联系次数。",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ExplainForm(forms.Form):
    """Why nobody contacted the family in a month."""

    because = forms.ChoiceField(
        label="没有联系的原因",
        choices=[(words, words) for words in MISSED_BECAUSE],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="说明",
        max_length=150,
        required=False,
        help_text=f"选“{OTHER}”时要写明。",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self):
        values = super().clean()
        if values.get("because") == OTHER and not values.get("note"):
            self.add_error("note", "请写明原因。")
        return values

    def reason(self) -> str:
        """The sentence that is kept."""
        because, note = self.cleaned_data["because"], self.cleaned_data["note"]
        if because == OTHER:
            return note
        return f"{because}：{note}" if note else because


class NeedForm(forms.Form):
    """A need that somebody sees to, raised on a day of its own."""

    kind = forms.ChoiceField(label="需求类别", choices=NeedKind.choices, widget=forms.RadioSelect)
    need = forms.CharField(
        label="需求",
        max_length=500,
        help_text="写清要什么，谁都看得懂。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    opened_on = FlexibleDateField(label="提出日期")
    owner = OwnerField(empty_label="请选择")
    due_on = FlexibleDateField(label="办结期限")

    def __init__(self, *args, user, family: SpecialFamily, today: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].offer(user, family)
        self.initial.setdefault("opened_on", today)
        self.initial.setdefault("due_on", today + timedelta(days=DAYS_TO_SETTLE))

    def values(self) -> dict:
        """What services.open_follow_up takes."""
        return self.cleaned_data | {"owner": self.cleaned_data["owner"].person}


class NeedCloseForm(forms.Form):
    """What came of a need."""

    closed_on = FlexibleDateField(label="办结日期")
    outcome = forms.CharField(
        label="办理结果", max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class NeedPassForm(forms.Form):
    """Who sees to a need from now on, and until when."""

    owner = OwnerField(label="新的负责人", empty_label="请选择")
    due_on = FlexibleDateField(label="办结期限")

    def __init__(self, *args, user, family: SpecialFamily, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].offer(user, family)
