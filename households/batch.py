"""Acts on many households at once: what they ask for, and which rows cannot."""

from django import forms

from fpadmin.accounts.models import Region
from households.models import Household
from households.services.groups import regroup_households


class RegroupForm(forms.Form):
    """The group that the households are to belong to: one of a village that was selected."""

    group = forms.ModelChoiceField(
        label="改到小组",
        queryset=Region.objects.none(),
        empty_label="请选择",
        error_messages={"invalid_choice": "这个小组不在所选的村里，请重新选择。"},
        help_text="只能改到本村的小组；别的村的户会列为不能办理。",
    )

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
        villages = {row.village_id for row in rows}
        field = self.fields["group"]
        field.queryset = (
            Region.objects.visible_to(asked.user)
            .valid_on(asked.day)
            .filter(level=Region.Level.GROUP, parent__in=villages)
            .select_related("parent")
            .order_by("code")
        )
        field.label_from_instance = lambda group: f"{group.parent.name}　{group.name}"


def regroup_refusals(rows: list[Household], *, by, values, day) -> dict[int, str]:
    """Households of another village than the group, and those that belong to it already."""
    group = values["group"]
    reasons = {}
    for row in rows:
        if row.village_id != group.parent_id:
            reasons[row.pk] = f"这一户在{row.village.name}，不能改到{group.parent.name}的小组"
        elif row.group_id == group.pk:
            reasons[row.pk] = f"已经在{group.name}"
    return reasons


def regroup(rows: list[Household], *, by, values, day) -> dict[int, str]:
    """Put them all into the group; see regroup_households."""
    moved = regroup_households(by=by, households=rows, group=values["group"])
    return {
        row.pk: "刚才有人改过这一户，没有改动，请核对后再办" for row in rows if row.pk not in moved
    }
