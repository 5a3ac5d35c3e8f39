"""What the registry's forms share: identifiers that are never sent back, and the look's grid."""

from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Field, Fieldset, Layout
from django import forms

from fpadmin.identity import InvalidIdNumber, parse_id_number
from households.models import DisabilityGrade
from households.presenters import mask_of

CLEAR = "清空"
NOT_IN_FORM = "请选择"
GRADES = [("", "无"), *DisabilityGrade.choices]


def choose(choices, label=NOT_IN_FORM):
    """Choices with an empty one on top, so that nothing is chosen by accident."""
    return [("", label), *choices]


def section(title: str, *fields) -> Fieldset:
    """A part of a form under its heading, its fields on the six-column grid."""
    return Fieldset(title, *fields, template="households/_fieldset.html")


def third(name: str, **attributes) -> Field:
    return Field(name, wrapper_class="fp-c2", **attributes)


def half(name: str, **attributes) -> Field:
    return Field(name, wrapper_class="fp-c3", **attributes)


def whole(name: str) -> Field:
    return Field(name, wrapper_class="fp-c6")


def helper(*sections) -> FormHelper:
    made = FormHelper()
    made.form_tag = False
    made.disable_csrf = True
    separated = [part for item in sections for part in (item, HTML('<hr class="fp-hr">'))]
    made.layout = Layout(*separated[:-1])
    return made


def filled_from_number(data, today: date, name: str = "id_number"):
    """The posted data with birth date and sex from the ID number where they were left blank."""
    if data is None or not data.get(name):
        return data
    try:
        number = parse_id_number(data[name], today=today)
    except InvalidIdNumber:
        return data
    data = data.copy()
    if not data.get("birth_date"):
        data["birth_date"] = number.birth_date.isoformat()
    if not data.get("sex"):
        data["sex"] = number.sex
    return data


class RegistryForm(forms.Form):
    """A form whose identifiers are never sent back: blank keeps what is stored, 清空 clears it.

    `shown` is the record being edited, None for a new one. Warnings gather in `warnings`.
    """

    identifiers: tuple[str, ...] = ()
    clearable: tuple[str, ...] = ()

    def __init__(self, data=None, *, user, today: date, shown=None, **kwargs):
        super().__init__(data, **kwargs)
        self.user, self.today, self.shown = user, today, shown
        self.warnings: list[str] = []
        for name in self.identifiers:
            stored = getattr(shown, name, "") if shown else ""
            if stored:
                clear = f"；写“{CLEAR}”去掉" if name in self.clearable else ""
                self.fields[name].help_text = f"现为{mask_of(name, stored)}，留空不变{clear}"
                self.fields[name].required = False

    def identifier_values(self) -> dict[str, str]:
        """Identifiers to write: all of a new record, of a known one only what was typed."""
        values = {}
        for name in self.identifiers:
            typed = self.cleaned_data.get(name) or ""
            if typed == CLEAR:
                values[name] = ""
            elif typed or self.shown is None:
                values[name] = typed
        return values

    def note_findings(self, findings) -> None:
        for finding in findings:
            if not finding.error:
                self.warnings.append(finding.message)
            elif finding.field not in self.errors:
                self.add_error(
                    finding.field if finding.field in self.fields else None, finding.message
                )

    def clean_number_of(self, name: str) -> str:
        """The valid 18 characters, blank, or the word that clears."""
        typed = (self.cleaned_data.get(name) or "").strip()
        if not typed or (typed == CLEAR and name in self.clearable):
            return typed
        try:
            return parse_id_number(typed, today=self.today).number
        except InvalidIdNumber as error:
            raise forms.ValidationError(
                f"{self.fields[name].label}{error}", code=error.code
            ) from None

    def lines(self) -> list[tuple[str, str, str]]:
        """(label, old, new) of what is about to be saved; of a known record only what changes."""
        lines = []
        for name, field in self.fields.items():
            new = self._shown_value(name, self.cleaned_data.get(name))
            old = ""
            if self.shown is not None:
                if name in self.identifiers:
                    stored = getattr(self.shown, name)
                    old = mask_of(name, stored) if stored else ""
                    new = new or old
                else:
                    old = self._shown_value(name, self.initial.get(name))
            if new != old:
                lines.append((str(field.label), old or "—", new or "—"))
        return lines

    def _shown_value(self, name: str, value) -> str:
        field = self.fields[name]
        if value is None or value == "":
            return ""
        if isinstance(field, forms.ModelChoiceField):
            return str(value) if hasattr(value, "pk") else self._label_of(field, value)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if isinstance(field, forms.ChoiceField):
            return str(dict(field.choices).get(value, value))
        return str(value)

    def _label_of(self, field, key) -> str:
        found = field.queryset.filter(pk=key).first()
        return str(found) if found else ""
