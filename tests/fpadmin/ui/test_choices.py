"""A choice among hundreds of records: escaped, one chosen, and no template or record for each line."""

import pytest
from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.choices import LongSelect, NamedField
from tests.factories.accounts import make_region


class Place(forms.Form):
    village = NamedField(queryset=Region.objects.none(), empty_label="全部", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["village"].queryset = Region.objects.filter(level=5).order_by("code")


def test_select_has_the_empty_choice_all_names_and_one_chosen(village, other_village):
    html = str(Place({"village": str(other_village.pk)})["village"])

    assert html == (
        '<select id="id_village" name="village"><option value="">全部</option>'
        f'<option value="{village.pk}">庄科村</option>'
        f'<option value="{other_village.pk}" selected>安丰营村</option></select>'
    )


def test_nothing_chosen_is_the_empty_choice(village):
    assert '<option value="" selected>全部' in str(Place({"village": ""})["village"])


def test_names_and_attributes_are_escaped(village):
    make_region("539981001999", '<b>"村')

    field = Place({"village": '"><script>'})["village"]

    assert "&lt;b&gt;&quot;村</option>" in str(field)
    assert "<script>" not in str(field)
    drawn = LongSelect({"title": '">'}).render("x", "")
    assert drawn == '<select name="x" title="&quot;&gt;"></select>'


@pytest.mark.parametrize("typed", ["0", "x", "9" * 30])
def test_what_is_no_choice_is_refused(village, typed):
    assert not Place({"village": typed}).is_valid()


def test_the_choice_is_the_record(village):
    form = Place({"village": str(village.pk)})

    assert form.is_valid()
    assert form.cleaned_data["village"] == village


def test_one_query_for_few_and_many(village, assert_query_count_does_not_grow):
    def grow():
        for number in range(30):
            make_region(f"539981001{300 + number}", f"第{number}村")

    assert_query_count_does_not_grow(lambda: str(Place({})["village"]), grow)
