"""Small things that are read: batch sentences, titles, one name for one act; and papers during a notice."""

from pathlib import Path

import pytest
from django.conf import settings as project
from django.urls import reverse

from fpadmin.errors import RuleViolation
from fpadmin.ui import acts
from households.special import uploads
from subsidies.models import Application, ApplicationPaper
from subsidies.reviews import line_list
from subsidies.services.application_papers import add_paper, remove_paper
from tests.factories.benefits import make_enrolment
from tests.factories.special import picture
from tests.subsidies.applications.conftest import NOW, submitted

TEMPLATES = Path(project.BASE_DIR) / "templates"


@pytest.mark.django_db
@pytest.mark.parametrize("key", [line_list.KEY, line_list.SENSITIVE_KEY])
def test_effects_leave_the_punctuation_to_the_page(key, clerk):
    effects = [one.effect for one in acts.acts_of(key, clerk) if one.effect]

    assert effects
    assert not [one for one in effects if one[-1] in "，。；："]


def test_only_the_base_says_of_a_form_that_it_is_wrong():
    said = [
        path.name
        for path in TEMPLATES.rglob("*.html")
        if "{% block title %}{% if form.errors %}" in path.read_text()
    ]
    assert said == []


@pytest.fixture
def on_notice(draft, clerk) -> Application:
    submitted(draft, clerk)
    Application.objects.filter(pk=draft.pk).update(state="notice")
    return Application.objects.get(pk=draft.pk)


@pytest.mark.django_db
def test_application_leads_to_its_own_notice(on_notice, propagandist, sign_in):
    page = sign_in(propagandist).get(on_notice.get_absolute_url()).content.decode()

    village = on_notice.resident.village_id
    address = f"{reverse('subsidies:notice-create')}?village={village}&amp;policy=CN-RURAL"
    assert f'href="{address}">张贴公示</a>' in page
    assert "生成公示表" not in page


@pytest.mark.django_db
def test_empty_list_names_the_button(clerk, sign_in):
    page = sign_in(clerk).get(reverse("subsidies:application-list")).content.decode()

    assert "点“登记申请”" in page


@pytest.mark.django_db
def test_missing_paper_may_come_during_the_notice_and_none_goes(
    on_notice, propagandist, reviewer, sign_in, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    file = uploads.paper_of("a.jpg", picture())
    address = reverse("subsidies:application-paper-create", args=[on_notice.pk])

    assert address in sign_in(propagandist).get(on_notice.get_absolute_url()).content.decode()
    with pytest.raises(RuleViolation):
        add_paper(by=reviewer, application=on_notice, kind="identity", title="户口簿", paper=file)
    add_paper(by=propagandist, application=on_notice, kind="identity", title="户口簿", paper=file)
    with pytest.raises(RuleViolation, match="不能再改"):
        remove_paper(by=propagandist, paper=ApplicationPaper.objects.get(), now=NOW)


@pytest.mark.django_db
def test_form_does_not_open_for_who_is_on_the_roll(couple, clerk, sign_in):
    make_enrolment(couple[0])
    page = sign_in(clerk).get(
        reverse("subsidies:application-create", args=[couple[0].pk]), {"policy": "CN-RURAL"}
    )

    assert "不能重复登记" in page.content.decode()
    assert 'name="applied_on"' not in page.content.decode()
