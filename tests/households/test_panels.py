"""Boxes that other apps put on the page of a person and a household."""

import pytest

from fpadmin.accounts.permissions import Permission
from households import panels
from households.panels import Panel, PanelRow
from tests.conftest import TODAY
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db


def panel(**changed) -> Panel:
    values = {
        "key": "shown", "label": "试用", "link_label": "打开", "permission": Permission.BENEFIT_VIEW,
        "url_for": lambda one: f"/{one.pk}/", "empty": "什么也不享受",
        "rows": lambda user, people, day: [PanelRow(one.name) for one in people],
    }  # fmt: skip
    return Panel(**(values | changed))


@pytest.fixture(autouse=True)
def _only_this_one(monkeypatch):
    monkeypatch.setattr(panels, "PANELS", {})
    panels.register(panel())


def test_panel_shows_its_rows_and_leads_to_the_first_person(village, clerk, sign_in):
    home = make_household(village)
    make_resident(home, "次子", relation="子")
    head = make_resident(home, "户主甲")

    page = sign_in(clerk).get(home.get_absolute_url())

    [shown] = page.context["panels"]
    assert shown.url == f"/{head.pk}/"
    assert [row.text for row in shown.rows] == ["户主甲", "次子"]
    assert "试用" in page.content.decode()


def test_panel_is_only_for_who_may(village, clerk, administrator):
    person = make_resident(make_household(village))

    assert len(panels.panels_for(clerk, [person], TODAY)) == 1
    assert panels.panels_for(administrator, [person], TODAY) == []


def test_nobody_has_no_panel(clerk):
    assert panels.panels_for(clerk, [], TODAY) == []


def test_panel_without_rows_says_so(village, clerk, sign_in, monkeypatch):
    monkeypatch.setattr(panels, "PANELS", {})
    panels.register(panel(rows=lambda user, people, day: []))
    person = make_resident(make_household(village))

    assert "什么也不享受" in sign_in(clerk).get(person.get_absolute_url()).content.decode()


def test_key_that_is_taken_raises():
    with pytest.raises(ValueError, match="registered twice"):
        panels.register(panel())
