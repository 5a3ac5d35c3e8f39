"""The form of one's own text size and contrast."""

from django import forms

from fpadmin.accounts.models import User


class DisplayForm(forms.Form):
    """Text size and contrast of one's own pages."""

    text_size = forms.ChoiceField(
        label="字号",
        choices=[("", "标准"), ("a1", "大（A+）"), ("a2", "特大（A++）")],
        widget=forms.RadioSelect,
        required=False,
    )
    high_contrast = forms.BooleanField(
        label="高对比度",
        help_text="文字、边线和按钮的颜色更深，适合强光下或视力不佳时使用。",
        required=False,
    )

    @classmethod
    def of(cls, user: User) -> "DisplayForm":
        """The form showing what `user` has chosen."""
        return cls(initial={"text_size": user.text_size, "high_contrast": user.high_contrast})
