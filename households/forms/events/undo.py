"""Why an event is taken back."""

from django import forms


class UndoForm(forms.Form):
    """The reason, which stays on the counter-event."""

    reason = forms.CharField(
        label="撤销原因", max_length=200, help_text="如日期登记错了、登记到别人名下"
    )
