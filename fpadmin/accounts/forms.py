"""Input of the sign-in, account, role and region pages."""

from django import forms
from django.core.exceptions import ValidationError

from fpadmin.accounts import rules
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import FlexibleDateField

# Places offered while typing a code; more than these are found by their code alone.
OFFERED_PLACES = 300
PASSWORD_LENGTH = 128


class SignInForm(forms.Form):
    """Login name and password as typed."""

    username = forms.CharField(
        label="登录名",
        max_length=100,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="密码",
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordChangeForm(forms.Form):
    """The current password, and the new one twice."""

    current = forms.CharField(
        label="现在的密码",
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = forms.CharField(
        label="新密码",
        max_length=PASSWORD_LENGTH,
        strip=False,
        help_text=(
            "至少10个字符，含大写字母、小写字母、数字、符号中的三种；不含登录名，"
            "不用地名拼音加年份，不与最近5次用过的相同。"
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="再输一遍新密码",
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self):
        again = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise ValidationError("两次输入的新密码不一样，请重新输入。")
        return again


class PlaceForm(forms.Form):
    """A form with one place of the user's own region, named by its code and in force on `day`."""

    region = forms.CharField(
        label="所属区划",
        max_length=14,
        help_text="填区划代码，可从下拉提示中选。宣传员填村，经办和审核填乡镇，其余填县或以上。",
        widget=forms.TextInput(
            attrs={"list": "places", "inputmode": "numeric", "autocomplete": "off"}
        ),
    )

    def __init__(self, *args, user, day, **kwargs):
        super().__init__(*args, **kwargs)
        self._places = Region.objects.visible_to(user).valid_on(day)

    def clean_region(self) -> Region:
        code = self.cleaned_data["region"].strip()
        region = self._places.filter(code=code).first()
        if region is None:
            raise ValidationError(f"您管理的范围内没有代码为“{code}”的区划。请核对代码。")
        return region

    @staticmethod
    def initial_of(account: User) -> dict:
        """What the edit forms show of an account."""
        return {"name": account.name, "role": account.role, "region": account.region.code}

    def places(self):
        """The first places to offer while a code is typed, larger ones first."""
        return self._places.filter(level__lte=Region.Level.VILLAGE).order_by("level", "code")[
            :OFFERED_PLACES
        ]


class AccountForm(PlaceForm):
    """A new account. The password is never asked for: the system makes one."""

    field_order = ["username", "name", "role", "region"]
    username = forms.CharField(
        label="登录名",
        max_length=50,
        help_text="3到50个小写字母、数字、点、横线或下划线，以字母开头，例如 luoxm。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(
        label="姓名", max_length=50, help_text="一个账号只给一个人用，填真实姓名。"
    )
    role = forms.ChoiceField(label="角色", choices=Role.choices)

    def clean_username(self):
        try:
            return rules.check_username(self.cleaned_data["username"])
        except RuleViolation as violation:
            raise ValidationError(violation.message)


class AccountEditForm(PlaceForm):
    """Name and place of an account; the role is the security administrator's."""

    field_order = ["name", "region"]
    name = forms.CharField(label="姓名", max_length=50)


class RoleForm(PlaceForm):
    """The role of an account, and a place at that role's level."""

    field_order = ["role", "region"]
    role = forms.ChoiceField(label="角色", choices=Role.choices)


class AccountSearchForm(forms.Form):
    """A part of a name; it travels by POST."""

    q = forms.CharField(
        label="姓名或登录名",
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RegionForm(forms.Form):
    """Name, kind and dates of a region."""

    name = forms.CharField(label="名称", max_length=100)
    urban_rural = forms.ChoiceField(
        label="城乡分类", choices=[("", "未分"), *Region.UrbanRural.choices], required=False
    )
    valid_from = FlexibleDateField(
        label="启用日期", required=False, help_text="不知道就留空，按一直有效处理。"
    )
    valid_until = FlexibleDateField(
        label="停用日期", required=False, help_text="从这一天起不再使用；留空表示仍在使用。"
    )

    @classmethod
    def initial_of(cls, region: Region) -> dict:
        """What the form shows of a region."""
        return {name: getattr(region, name) for name in cls.base_fields}


class NewRegionForm(RegionForm):
    """A region that isn't there yet, inside the user's own."""

    field_order = ["code", "name", "urban_rural", "valid_from", "valid_until"]
    code = forms.CharField(
        label="区划代码",
        max_length=14,
        help_text="国家统计用区划代码：县6位、乡9位、村12位；村民小组为村代码加2位。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_code(self):
        code = self.cleaned_data["code"].strip()
        try:
            above = rules.parent_code(code)
        except RuleViolation as violation:
            raise ValidationError(violation.message)
        if not Region.objects.visible_to(self._user).filter(code=above).exists():
            raise ValidationError(
                f"上级区划“{above}”不在您管理的范围内，或还没有登记。请先登记上级。"
            )
        return code


def accounts_named(accounts, text: str):
    """`accounts` whose name or login name contains `text`."""
    text = text.strip()
    return accounts.filter(name__contains=text) | accounts.filter(
        username__contains=rules.normal_username(text)
    )
