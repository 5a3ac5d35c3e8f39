"""Forms of rounds: a new one, who goes, what was done, and why something is not."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import choose
from households.models import ContactKind, FamilyContact, RoundVisit
from households.special import rounds

SOMEBODY_ELSE = "other"


class RoundForm(forms.Form):
    """A festival, its days, and what is brought."""

    festival = forms.ChoiceField(label="节日", choices=choose([(f, f) for f in rounds.FESTIVALS]))
    words = forms.CharField(
        label="其他节日或事由", max_length=20, required=False,
        help_text="节日选“其他”时填写，例如：建党节。",
    )  # fmt: skip
    starts_on = FlexibleDateField(
        label="开始日期", help_text="这一天在管的家庭都列入名单，可以先制定、到时再办。"
    )
    due_on = FlexibleDateField(label="完成期限")
    gift = forms.CharField(
        label="慰问品", max_length=100, required=False, help_text="例如：月饼一盒、大米10公斤。"
    )
    amount = forms.DecimalField(
        label="慰问金（元/户）", max_digits=10, decimal_places=2, min_value=0, required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip

    def clean(self):
        values = super().clean()
        if values.get("festival") == rounds.OTHER and not values.get("words"):
            self.add_error("words", "请写明是什么节日或事由。")
        return values

    def values(self) -> dict:
        """What services.special_rounds.make_round() takes."""
        values = self.cleaned_data
        return {
            "name": rounds.name_of(values["festival"], values["words"], values["starts_on"]),
            **{name: values[name] for name in ("starts_on", "due_on", "gift", "amount")},
        }


class VisitorsForm(forms.Form):
    """Who is to go, for each family still to visit: one of its current contacts, or nobody yet."""

    def __init__(self, data=None, *, visits: Iterable[RoundVisit], terms: Iterable[FamilyContact]):
        super().__init__(data)
        self._terms = {str(term.pk): term for term in terms}
        of_family = defaultdict(list)
        for term in self._terms.values():
            of_family[term.family_id].append((str(term.pk), contact_words(term)))
        self.rows = []
        for visit in visits:
            name = f"visitor_{visit.pk}"
            self.fields[name] = forms.ChoiceField(
                label=f"{visit.parent_names or visit.family.household}的慰问人",
                choices=choose(of_family[visit.family_id], "还没有定"),
                required=False,
                initial=visit.contact_id,
            )
            self.rows.append((visit, self[name]))

    def chosen(self) -> dict[int, FamilyContact | None]:
        """What services.special_rounds.change_visitors() takes."""
        return {
            visit.pk: self._terms.get(self.cleaned_data[field.name]) for visit, field in self.rows
        }


class TickForm(forms.Form):
    """Who visited, when, who signed. What is unusual gathers in `warnings` and needs a tick."""

    contact = forms.ChoiceField(label="慰问人", widget=forms.RadioSelect)
    happened_on = FlexibleDateField(label="慰问日期")
    signer = forms.ChoiceField(label="签收人", widget=forms.RadioSelect)
    other_signer = forms.CharField(
        label="代签人", max_length=50, required=False, help_text="由别人代签时填写姓名和关系。"
    )
    note = forms.CharField(
        label="情况", max_length=200, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(
        self,
        data=None,
        *,
        visit: RoundVisit,
        contacts: Iterable[FamilyContact],
        signers: Iterable[str],
        user,
        today: date,
    ):
        self._contacts = {str(term.pk): term for term in contacts}
        own = [key for key, term in self._contacts.items() if term.person.user_id == user.pk]
        super().__init__(
            data,
            initial={
                "happened_on": today,
                "contact": next(iter(own), visit.contact_id and str(visit.contact_id)),
            },
        )
        self._round = visit.round
        self._signers = {str(n): name for n, name in enumerate(signers)}
        self.fields["contact"].choices = [(k, contact_words(t)) for k, t in self._contacts.items()]
        self.fields["signer"].choices = [*self._signers.items(), (SOMEBODY_ELSE, "别人代签")]
        self.warnings: list[str] = []

    def clean(self):
        values = super().clean()
        if values.get("signer") == SOMEBODY_ELSE and not values.get("other_signer"):
            self.add_error("other_signer", "请填写代签人的姓名和关系。")
        day = values.get("happened_on")
        if day and not self._round.starts_on <= day <= self._round.due_on:
            self.warnings.append(
                f"慰问日期{day}不在活动期间（{self._round.starts_on}至{self._round.due_on}）。"
            )
        return values

    def values(self) -> dict:
        """What services.special_rounds.tick_off() takes."""
        values = self.cleaned_data
        return {
            "contact": self._contacts[values["contact"]],
            "happened_on": values["happened_on"],
            "signed_by": self._signers.get(values["signer"], values["other_signer"]),
            "note": values["note"],
        }


class LeaveOutForm(forms.Form):
    """Why a family is not visited this time."""

    reason = forms.CharField(
        label="不慰问的原因", max_length=200, help_text="例如：本人不愿意、长期在外地。"
    )


class UntickForm(forms.Form):
    """Why a tick is taken back."""

    reason = forms.CharField(
        label="撤回原因", max_length=200, help_text="例如：登记错了户、日期写错。"
    )


def contact_words(term: FamilyContact) -> str:
    """吕宇诚（村居干部）; of a contact who is none any more also until when."""
    until = f"，到{term.ended_on}" if term.ended_on else ""
    return f"{term.person.name}（{ContactKind(term.person.kind).label}{until}）"
