"""The filter bars of residents and households."""

import django_filters
from django import forms
from django.db.models import Q

from fpadmin import dates
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import Chip, FilterSet
from fpadmin.ui.paging import without_position
from households import searches, selectors
from households.forms.as_at import DayFilter
from households.models import Hukou, Marital, Residence, Resident, Sex

AGED = [("60", "60岁及以上"), ("65", "65岁及以上"), ("80", "80岁及以上"), ("under16", "16岁以下")]


def _villages(request):
    return selectors.villages_of(request.user, dates.today())


def _groups(request):
    """The groups of the village asked for, or of a village worker's own."""
    code = request.GET.get("village", "")
    villages = _villages(request)
    chosen = villages.filter(pk=code).first() if code.isdecimal() and len(code) < 18 else None
    if chosen is None and request.user.region.level == request.user.region.Level.VILLAGE:
        chosen = request.user.region
    return selectors.groups_of(request.user, chosen)


class SearchFilter(FilterSet):
    """A filter bar that also holds a search by name or number, kept in the session under a token."""

    SHORT = 5  # name and ID number stand before them

    search = django_filters.CharFilter(method="by_search", widget=forms.HiddenInput)

    def kept_search(self) -> searches.Search | None:
        return searches.kept(self.request.session, self.data.get("search", ""))

    def carried(self) -> dict:
        kept = self.kept_search()
        return searches.carried(self.data["search"], kept) if kept else {}

    def by_search(self, queryset, name, value):
        kept = self.kept_search()
        return self.found(queryset, kept) if kept else queryset

    def found(self, queryset, search: searches.Search):
        return queryset.filter(search.matches())

    def chips(self, query):
        chips = super().chips(query)
        kept = self.kept_search()
        if not kept:
            return chips
        rest = without_position(query)
        rest.pop("search", None)
        url = f"?{rest.urlencode()}"
        parts = [("姓名", kept.name), ("身份证号", kept.masked)]
        return [Chip(label, text, url) for label, text in parts if text] + chips


class ResidentFilter(SearchFilter):
    """Conditions of the residents' list. Without 状态 only the living are shown."""

    village = NamedFilter(label="村（社区）", queryset=_villages, empty_label="全部")
    group = NamedFilter(
        label="小组", field_name="household__group", queryset=_groups, empty_label="全部"
    )
    age = django_filters.RangeFilter(label="年龄", method="by_age")
    residence = django_filters.ChoiceFilter(
        label="居住状态", choices=Residence.choices, empty_label="全部"
    )
    sex = django_filters.ChoiceFilter(label="性别", choices=Sex.choices, empty_label="全部")
    aged = django_filters.ChoiceFilter(
        label="人群", choices=AGED, method="by_aged", empty_label="全部"
    )
    marital = django_filters.ChoiceFilter(
        label="婚姻状况", choices=Marital.choices, empty_label="全部"
    )
    hukou = django_filters.ChoiceFilter(label="户口性质", choices=Hukou.choices, empty_label="全部")
    certificate = django_filters.ChoiceFilter(
        label="独生子女证",
        choices=[("yes", "有"), ("no", "没有")],
        method="by_certificate",
        empty_label="全部",
    )
    disability = django_filters.ChoiceFilter(
        label="残疾",
        choices=[("yes", "有等级"), ("no", "没有")],
        method="by_disability",
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[("dead", "已死亡"), ("all", "在世和已死亡")],
        method="by_state",
        empty_label="在世",
    )
    as_of = DayFilter(label="时点")  # asked for a past day, the page shows as_at_lists

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        if not self.form.cleaned_data.get("state"):
            queryset = queryset.registered_on(dates.today())
        return queryset

    def by_age(self, queryset, name, value):
        day = dates.today()
        # Years before the calendar begins match nobody, so they ask for nothing.
        if value.start is not None and 0 <= value.start < 200:
            youngest = dates.years_before(day, int(value.start))
            queryset = queryset.filter(birth_date__lte=youngest)
        if value.stop is not None and 0 <= value.stop < 200:
            oldest = dates.years_before(day, int(value.stop) + 1)
            queryset = queryset.filter(birth_date__gt=oldest)
        return queryset

    def by_aged(self, queryset, name, value):
        day = dates.today()
        if value == "under16":
            return queryset.filter(birth_date__gt=dates.years_before(day, 16))
        return queryset.filter(birth_date__lte=dates.years_before(day, int(value)))

    def by_certificate(self, queryset, name, value):
        without = Q(only_child_cert_no="")
        return queryset.filter(without if value == "no" else ~without)

    def by_disability(self, queryset, name, value):
        without = Q(disability_grade="")
        return queryset.filter(without if value == "no" else ~without)

    def by_state(self, queryset, name, value):
        queryset = queryset.filter(merged_into__isnull=True)
        if value == "dead":
            return queryset.filter(death_date__isnull=False)
        return queryset


class HouseholdFilter(SearchFilter):
    """Conditions of the households' list; a search finds households by any of their members."""

    village = NamedFilter(label="村（社区）", queryset=_villages, empty_label="全部")
    group = NamedFilter(label="小组", queryset=_groups, empty_label="全部")
    number = django_filters.CharFilter(label="户编号", max_length=30)
    low_income = django_filters.ChoiceFilter(
        label="低保",
        choices=[("yes", "享受"), ("no", "不享受")],
        method="by_low_income",
        empty_label="全部",
    )
    as_of = DayFilter(label="时点")

    def found(self, queryset, search):
        people = Resident.objects.visible_to(self.request.user).filter(search.matches())
        return queryset.filter(pk__in=people.values("household"))

    def by_low_income(self, queryset, name, value):
        drawing = Q(low_income_spells__ended_on__isnull=True, low_income_spells__isnull=False)
        return queryset.filter(drawing) if value == "yes" else queryset.exclude(drawing)
