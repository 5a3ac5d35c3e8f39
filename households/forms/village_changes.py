"""The form of a change of villages: what moves, where to, from which day, by which document."""

from django import forms

from fpadmin.accounts.models import CODE_LENGTHS, Region
from fpadmin.ui.forms import FlexibleDateField
from households.village_changes import NewVillage

NEW = "new"


class VillageChangeForm(forms.Form):
    """`place` is a township, whose villages may move, or a village, whose groups may."""

    sources = forms.MultipleChoiceField(
        label="要调整的区划", widget=forms.CheckboxSelectMultiple, choices=()
    )
    target = forms.ChoiceField(label="并入", choices=())
    code = forms.CharField(
        label="新村区划代码", max_length=12, required=False, help_text="新设村时填写，12位。"
    )
    name = forms.CharField(label="新村名称", max_length=100, required=False)
    day = FlexibleDateField(label="生效日期", help_text="从这一天起算新村，以前的报表保持原样。")
    document = forms.CharField(
        label="批准文件", max_length=100, help_text="例如：镇政发〔2018〕12号"
    )

    def __init__(self, *args, user, place: Region, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.place = place
        is_village = place.level == Region.Level.VILLAGE
        township = place.parent if is_village else place
        here = Region.objects.visible_to(user).valid_on(today)
        self._sources = {r.code: r for r in here.children_of(place)}
        self._targets = {r.code: r for r in here.children_of(township) if r != place}
        self.fields["sources"].choices = [(c, r.name) for c, r in self._sources.items()]
        self.fields["target"].choices = [
            ("", "请选择"),
            *((c, r.name) for c, r in self._targets.items()),
            (NEW, "新设一个村（社区）"),
        ]
        if is_village:
            self.fields["sources"].label = "要划出的小组"

    def clean_sources(self) -> list[Region]:
        return [self._sources[code] for code in self.cleaned_data["sources"]]

    def clean(self):
        values = super().clean()
        if values.get("target") == NEW:
            code, name = values.get("code", ""), values.get("name", "").strip()
            if len(code) != CODE_LENGTHS[Region.Level.VILLAGE] or not code.isdecimal():
                self.add_error("code", "请填写12位的区划代码。")
            if not name:
                self.add_error("name", "请填写新村的名称。")
        return values

    def taking_in(self) -> Region | NewVillage:
        """Where the people go, once the form is valid."""
        chosen = self.cleaned_data["target"]
        if chosen != NEW:
            return self._targets[chosen]
        kinds = {r.urban_rural for r in self.cleaned_data["sources"]}
        kind = kinds.pop() if len(kinds) == 1 else ""
        return NewVillage(self.cleaned_data["code"], self.cleaned_data["name"].strip(), kind)
