"""Versions of returns: numbered, unchanged when equal, audited, rolled back as a whole."""

from datetime import date

import pytest

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.reporting import services
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import GROUPS, RETURNS, Span, register_group, register_return
from households.models import Resident
from tests.factories.households import make_resident

TODAY = date(2018, 10, 9)


def made(region, by, **changes):
    values = {"code": "population-monthly", "region": region, "period": "2018-09", "today": TODAY}
    return services.make_return(**values | changes, by=by)


def test_make_return_keeps_one_version_until_the_figures_change(small, clerk):
    first, is_new = made(small.township, clerk)
    assert (first.version, is_new, first.made_by) == (1, True, clerk)
    again, is_new = made(small.township, SystemJob("make_return"))
    assert (again.pk, is_new) == (first.pk, False)
    make_resident(small.first, "新人", relation="其他")
    second, is_new = made(small.township, SystemJob("make_return"))
    assert (second.version, is_new, second.made_by) == (2, True, None)
    first.refresh_from_db()
    assert first.content["rows"][0]["figures"]["closing"] == 13
    assert second.content["rows"][0]["figures"]["closing"] == 14


def test_make_return_records_who_and_what(small, clerk):
    made(small.township, clerk)
    made(small.township, clerk)
    newest, first = AuditEvent.objects.filter(type="return.made").order_by("-pk")
    assert first.actor_id == clerk.pk
    assert first.changes == {"return": "population-monthly 2018-09", "version": 1}
    assert first.region_path == small.township.path
    assert (first.result, newest.result) == ("ok", "unchanged")


def test_make_return_rolls_back_when_the_lease_is_lost(small, clerk):
    def lost():
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError):
        made(small.township, clerk, before_commit=lost)
    assert ReturnVersion.objects.count() == 0
    assert not AuditEvent.objects.filter(type="return.made").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "nothing"}, "没有报表"),
        ({"period": "2018"}, "2018-09"),
        ({"period": "2018-11"}, "还没有开始"),
    ],
)
def test_make_return_refuses(small, clerk, changes, words):
    with pytest.raises(RuleViolation, match=words):
        made(small.township, clerk, **changes)


def test_download_is_recorded_and_signed_by_its_maker(small, clerk):
    version, _ = made(small.township, clerk)
    content = services.download_version(version=version, suffix="json", by=clerk)
    assert clerk.name in content.decode()
    event = AuditEvent.objects.get(type="return.downloaded")
    assert event.changes == {"format": "json"}


def test_export_of_names_is_recorded_without_names(small, clerk):
    span = Span(date(2018, 9, 1), date(2018, 9, 30))
    rows = GROUPS["population"].people("deaths", small.township, span)
    services.export_people(
        title="死亡", meta="", code="deaths", region=small.township, rows=rows, by=clerk
    )
    event = AuditEvent.objects.get(type="figure.exported")
    assert (event.count, event.changes) == (1, {"figure": "deaths"})
    assert "赵老" not in str(event.__dict__)
    assert Resident.objects.filter(name="赵老").exists()


def test_names_of_one_day_add_up_and_are_refused_over_the_limit(small, clerk, settings):
    settings.EXPORT_LIMIT_ROWS = 2
    span = Span(date(2018, 9, 1), date(2018, 9, 30))
    rows = GROUPS["population"].people("deaths", small.township, span)
    values = {"title": "", "meta": "", "code": "deaths", "region": small.township, "by": clerk}
    for _ in range(2):
        services.export_people(rows=rows, **values)
    with pytest.raises(RuleViolation, match="超过2条"):
        services.export_people(rows=rows, **values)
    assert AuditEvent.objects.filter(type="figure.exported").count() == 2


def test_registry_raises_on_a_duplicate():
    with pytest.raises(ValueError, match="twice"):
        register_group(GROUPS["births"])
    with pytest.raises(ValueError, match="twice"):
        register_return(RETURNS["population-annual"])
