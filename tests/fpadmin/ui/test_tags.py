"""Numbers, dates, masks, states and icons as pages show them."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template

from fpadmin.ui import sprite
from fpadmin.ui.templatetags import ui


def render(text, **context):
    return Template("{% load ui %}" + text).render(Context(context))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(15142, "15,142"), (0, "0"), (None, "—"), ("", "—"), (-1200, "−1,200"), (2.5, "3")],
)
def test_number_has_commas_and_a_dash_where_there_is_none(value, shown):
    assert ui.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(95.555, "95.56%"), (Decimal("100"), "100.00%"), (0, "0.00%"), (None, "—")],
)
def test_percent_rounds_half_up_to_two_places(value, shown):
    assert ui.percent(value) == shown


def test_money_has_two_places():
    assert ui.money(Decimal("670080")) == "670,080.00"


def test_dates_in_sentences_and_tables():
    day = date(2018, 9, 3)
    assert (ui.date_cn(day), ui.date_dash(day), ui.weekday_cn(day)) == (
        "2018年9月3日",
        "2018-09-03",
        "星期一",
    )
    assert ui.date_cn(None) == ui.date_dash(None) == ui.time_dash(None) == "—"


def test_instants_are_shown_in_local_time():
    assert ui.time_dash(datetime(2018, 9, 30, 20, 5, tzinfo=UTC)) == "2018-10-01 04:05"


def test_masks_hide_the_middle_and_show_a_dash_for_nothing():
    assert ui.mask_id("539981195905080028") == "539981********0028"
    assert ui.mask_phone("13012348404") == "130****8404"
    assert ui.mask_account("6299123412348225") == "6299****8225"
    assert ui.mask_id("") == ui.mask_phone(None) == ui.mask_account("") == "—"


@pytest.mark.parametrize("kind", ui.STATUS_KINDS)
def test_status_tag_has_icon_and_word(kind):
    shown = ui.status_tag(kind, "已接收")
    assert "#i-" in shown
    assert shown.endswith("已接收</span>")


def test_status_tag_refuses_an_unknown_kind():
    with pytest.raises(KeyError):
        ui.status_tag("green", "已接收")


def test_words_in_tags_are_escaped():
    assert "&lt;b&gt;" in ui.status_tag("ok", "<b>")
    assert "&lt;b&gt;" in ui.attribute("<b>")
    assert "&lt;b&gt;" in render("{% crumb name %}", name="<b>")


def test_icon_outside_the_sprite_is_refused():
    with pytest.raises(KeyError, match="ICONS"):
        ui.icon("no-such-icon")


def test_sprite_has_one_symbol_per_icon():
    assert sprite.sprite().count("<symbol ") == len(sprite.ICONS)
    assert "\n" not in sprite.sprite()


def test_sprite_carries_the_icons_in_use_and_no_others():
    """It stands in every page, so an icon that nobody uses costs every request."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("templates", "fpadmin", "households")
        for path in (Path(settings.BASE_DIR) / folder).rglob("*")
        if path.suffix in {".html", ".py", ".js"} and path.name != "sprite.py"
    )
    unused = [n for n in sprite.ICONS if f'"{n}"' not in text and f"'{n}'" not in text]
    assert unused == []
    named = set(re.findall(r"""{% icon ["']([a-z0-9-]+)["']""", text))
    assert named - sprite.ICONS == set()


def test_breadcrumb_is_left_out_when_empty():
    assert render("{% crumbs %}  {% endcrumbs %}") == ""
    shown = render('{% crumbs %}{% crumb "首页" "home" %}{% crumb "帮助" %}{% endcrumbs %}')
    assert '<a href="/">首页</a>' in shown
    assert 'aria-current="page">帮助' in shown


def test_note_says_its_kind_with_icon_and_role():
    shown = render('{% note kind="bad" title="没有保存" %}请重试{% endnote %}')
    assert 'role="alert"' in shown
    assert "#i-exclamation-octagon-fill" in shown
    assert "<strong>没有保存</strong><br>请重试" in shown


def test_panel_keeps_markup_of_its_content():
    shown = render('{% panel title="成员" id="m" hint="6人" %}<p>甲</p>{% endpanel %}')
    assert '<h2 id="h-m">成员</h2>' in shown
    assert 'aria-labelledby="h-m"' in shown
    assert "<p>甲</p>" in shown


class PersonForm(forms.Form):
    name = forms.CharField(label="姓名", max_length=3)
    sex = forms.ChoiceField(label="性别", choices=[("男", "男"), ("女", "女")])
    way = forms.ChoiceField(label="方式", choices=[("a", "甲")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="已核对")
    phone = forms.CharField(label="电话", required=False, help_text="手机或座机")
    own = forms.CharField(label="备注", error_messages={"required": "备注要写明原因"})


def test_messages_name_the_field_and_what_to_do():
    form = PersonForm({"name": "阿卜杜热", "sex": "x"})
    said = {field.name: ui.error_messages(field) for field in form if field.errors}
    assert said == {
        "name": ["姓名最多3个字，现在有4个"],
        "sex": ["性别没有这个选项，请重新选择"],
        "way": ["请选择方式"],
        "sure": ["请勾选“已核对”"],
        "own": ["备注要写明原因"],
    }


def test_field_marks_optional_ties_hint_and_error_to_its_input():
    form = PersonForm({})
    shown = form["name"].as_field_group()
    assert 'class="form-control is-invalid"' in shown
    assert 'aria-invalid="true"' in shown
    assert 'aria-describedby="id_name_error"' in shown
    assert 'id="id_name_error"' in shown
    assert "请填写姓名" in shown
    optional = form["phone"].as_field_group()
    assert "选填" in optional
    assert 'aria-describedby="id_phone_helptext"' in optional
    assert 'id="id_phone_helptext"' in optional


def test_radio_group_is_a_fieldset_with_a_legend():
    shown = PersonForm({})["way"].as_field_group()
    assert "<fieldset" in shown
    assert "方式</legend>" in shown
    assert 'class="form-check-input"' in shown
    assert 'for="id_way_0"' in shown


def test_error_summary_counts_and_links_to_the_inputs():
    shown = render('{% include "_components/error_summary.html" %}', form=PersonForm({}))
    assert "有5处需要修改" in shown
    assert '<a href="#id_way_0">请选择方式</a>' in shown
    assert "请填写姓名" in shown
    assert render('{% include "_components/error_summary.html" %}', form=PersonForm()).strip() == ""


def test_crispy_renders_fields_in_the_look():
    shown = render("{% load crispy_forms_tags %}{{ form|crispy }}", form=PersonForm({}))
    assert shown.count('class="form-label"') == 5
    assert "asteriskField" not in shown
    assert "请填写姓名" in shown
