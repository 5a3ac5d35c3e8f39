"""Contacts: who they are, whom a family gets, and to whom a leaver's families go."""

import re
from datetime import date

from django import forms

from fpadmin.accounts.models import User
from fpadmin.identity import half_width
from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import (
    CLEAR,
    NOT_IN_FORM,
    RegistryForm,
    choose,
    half,
    helper,
    section,
    third,
)
from households.models import ContactKind, ContactPerson, FamilyContact, SpecialFamily
from households.services.special_staffing import Move
from households.special.people import people

_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"(0\d{2,3}-?)?[2-9]\d{2,3}-?\d{4}([-转]\d{1,6})?", re.ASCII)
NO_PHONE = "联系电话不对，请核对。手机号11位；固定电话7至8位，前面可加区号，分机写在“-”后面。"


def plain_phone(text: str) -> str:
    """A telephone as it is kept, without spaces and dashes. Raises ValueError where it is none."""
    parted = re.sub(r"[\s()]+", "-", half_width(text).strip()).strip("-")
    plain = parted.replace("-", "")
    if not (_MOBILE.fullmatch(plain) or _LANDLINE.fullmatch(parted)):
        raise ValueError("no telephone")
    return plain


def out_of_reach(person: ContactPerson, family: SpecialFamily) -> str:
    """Why the person's account could not open this archive; "" where it can or there is none."""
    if person.user is None:
        return ""
    if family.household.village.path.startswith(person.user.region.path):
        return ""
    return (
        f"{person.name}的账号在{person.user.region.name}，打不开{family.household.village.name}的档案。"
        "请另选一位，或者先改他的账号。"
    )


class AccountField(forms.ModelChoiceField):
    """A choice of accounts, each with its place and role."""

    def label_from_instance(self, account):
        return f"{account.name}（{account.region.name}　{account.get_role_display()}）"


class PersonField(forms.ChoiceField):
    """A choice of contacts in office; one who left meanwhile is refused with the day."""

    def offer(self, persons: list[ContactPerson], empty: str = NOT_IN_FORM) -> None:
        """Choose among these; those who left are not shown."""
        self.persons = {str(person.pk): person for person in persons}
        in_office = [(pk, _called(one)) for pk, one in self.persons.items() if not one.left_on]
        self.choices = [("", empty), *in_office]

    @property
    def offers_anybody(self) -> bool:
        return len(self.choices) > 1

    def clean(self, value) -> ContactPerson | None:
        value = self.to_python(value)
        person = self.persons.get(value)
        if person and person.left_on:
            raise forms.ValidationError(
                f"{person.name}已于{person.left_on}离岗，请选另一位。", code="left"
            )
        super().validate(value)
        return person


def _called(person: ContactPerson) -> str:
    about = "　".join(filter(None, (person.kind, person.post)))
    return f"{person.name}（{about}，现{person.family_count}户）"


class PersonForm(RegistryForm):
    """One contact: name, kind, post, phone and, where there is one, the account."""

    identifiers = ("phone",)
    clearable = ("phone",)

    name = forms.CharField(label="姓名", max_length=50)
    kind = forms.ChoiceField(label="类别", choices=choose(ContactKind.choices))
    post = forms.CharField(
        label="单位职务", max_length=60, required=False, help_text="如街道办副主任、村委会主任"
    )
    phone = forms.CharField(
        label="联系电话", max_length=30, required=False, help_text="印在发给家庭的联系知情卡上"
    )
    user = AccountField(
        label="账号", queryset=None, required=False, empty_label="没有账号",
        help_text="关联后，用这个账号登录的人可以打开此人现在联系的全部家庭的档案，查看有记录。",
    )  # fmt: skip

    def __init__(self, data=None, *, user, today, shown=None, **kwargs):
        super().__init__(data, user=user, today=today, shown=shown, **kwargs)
        taken = ContactPerson.objects.visible_to(user).filter(user__isnull=False)
        if shown is not None:
            taken = taken.exclude(pk=shown.pk)
        self.free = (
            User.objects.visible_to(user)
            .filter(is_active=True)
            .exclude(pk__in=taken.values("user"))
            .select_related("region")
            .order_by("name", "pk")
        )
        self.fields["user"].queryset = self.free
        if shown is not None and shown.user_id and not self.free.filter(pk=shown.user_id).exists():
            self.fields[
                "user"
            ].help_text += f"原来的账号（{shown.user.name}）已停用或已调走，保存后不再关联。"
        self.helper = helper(
            section("联系人", *map(third, ("name", "kind", "post", "phone"))),
            section("账号", half("user")),
        )

    def clean_phone(self):
        typed = self.cleaned_data["phone"]
        if not typed or typed == CLEAR:
            return typed
        try:
            return plain_phone(typed)
        except ValueError:
            raise forms.ValidationError(NO_PHONE, code="no_phone") from None

    def namesake(self) -> User | None:
        """The one free account of the same name, where no account is chosen."""
        values = self.cleaned_data if self.is_bound and self.is_valid() else self.initial
        if values.get("user") or not values.get("name"):
            return None
        found = list(self.free.filter(name=values["name"])[:2])
        return found[0] if len(found) == 1 else None

    @classmethod
    def initial_of(cls, person: ContactPerson) -> dict:
        return {
            "name": person.name,
            "kind": person.kind,
            "post": person.post,
            "user": person.user_id or "",
        }

    def values(self) -> dict:
        """As services.add_contact_person takes them; a phone left blank stays as it was."""
        names = ("name", "kind", "post", "user")
        stored = self.shown.phone if self.shown else ""
        return {n: self.cleaned_data[n] for n in names} | {
            "phone": self.identifier_values().get("phone", stored)
        }


class LeaveForm(forms.Form):
    """From which day a contact is no longer in office."""

    left_on = FlexibleDateField(label="离岗日期", help_text="从这一天起不能再安排此人联系家庭。")


class _ForFamily(forms.Form):
    """What the forms about one family's contact share."""

    def __init__(self, data=None, *, user, family: SpecialFamily, today: date, **kwargs):
        super().__init__(data, **kwargs)
        self.family = family
        if "person" in self.fields:
            current = FamilyContact.objects.visible_to(user).filter(
                family=family, ended_on__isnull=True
            )
            others = people(user).exclude(pk__in=current.values("person"))
            self.fields["person"].offer(list(others))
        for name in ("started_on", "day"):
            if name in self.fields:
                self.fields[name].initial = today

    def clean_person(self):
        person = self.cleaned_data["person"]
        problem = out_of_reach(person, self.family)
        if problem:
            raise forms.ValidationError(problem, code="out_of_reach")
        return person


class NameForm(_ForFamily):
    """A further contact of a family."""

    person = PersonField(label="联系人")
    started_on = FlexibleDateField(
        label="从哪天起", help_text="不早于建档日期，不晚于今天。这一天起可以登记联系记录。"
    )


class HandOverForm(_ForFamily):
    """One contact's term goes to another person."""

    person = PersonField(label="接替的联系人")
    day = FlexibleDateField(
        label="交接日期", help_text="这一天原联系人结束、新联系人开始，当天两人都可以登记联系。"
    )
    reason = forms.CharField(label="交接原因", max_length=100, help_text="如调岗、离岗")


class EndForm(_ForFamily):
    """A contact's term ends without a successor."""

    day = FlexibleDateField(label="结束日期")
    reason = forms.CharField(label="结束原因", max_length=100)


class HandOverAllForm(forms.Form):
    """Where each family of one contact goes, from which day; what is left blank takes what stands on top.

    A family without any successor stays.
    """

    person = PersonField(
        label="都交给", required=False, help_text="下面没有单独选人的家庭都交给这一位。"
    )
    day = FlexibleDateField(label="交接日期", help_text="下面没有单独写日期的都从这一天起。")
    reason = forms.CharField(label="交接原因", max_length=100, help_text="如调岗、离岗")

    def __init__(self, data=None, *, user, leaver: ContactPerson, terms, today: date, **kwargs):
        super().__init__(data, **kwargs)
        self.terms = list(terms)
        others = list(people(user).exclude(pk=leaver.pk))
        self.fields["person"].offer(others, empty="不统一选")
        self.fields["day"].initial = today
        for term in self.terms:
            successor = PersonField(label=f"{term.family}交给", required=False)
            successor.offer(others, empty="同上")
            self.fields[f"term_{term.pk}"] = successor
            self.fields[f"day_{term.pk}"] = FlexibleDateField(
                label=f"{term.family}交接日期", required=False
            )

    def rows(self) -> list[tuple]:
        """(term, field of the successor, field of the day), for the table."""
        return [(t, self[f"term_{t.pk}"], self[f"day_{t.pk}"]) for t in self.terms]

    def clean(self):
        values = super().clean()
        for term in self.terms:
            name = f"term_{term.pk}"
            person = values.get(name) or values.get("person")
            problem = person and name not in self.errors and out_of_reach(person, term.family)
            if problem:
                self.add_error(name, problem)
        if not self.errors and not self.moves():
            raise forms.ValidationError("还没有选接替的人。", code="nobody")
        return values

    def moves(self) -> list[Move]:
        """What is to be handed over."""
        values, moves = self.cleaned_data, []
        for term in self.terms:
            person = values.get(f"term_{term.pk}") or values.get("person")
            if person:
                moves.append(Move(term, person, values.get(f"day_{term.pk}") or values["day"]))
        return moves
