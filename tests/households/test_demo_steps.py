"""Steps that other apps add to the demonstration."""

from datetime import date

import pytest

from households.demo import steps
from households.demo.steps import Demonstration


@pytest.fixture
def _no_steps(monkeypatch):
    monkeypatch.setattr(steps, "STEPS", {})


@pytest.mark.usefixtures("_no_steps")
def test_steps_run_in_order_and_know_the_demonstration(village):
    steps.register("first", lambda demo, *, by: f"{by}：{demo.city.name}")
    steps.register("second", lambda demo, *, by: f"{demo.today} {demo.invented}")
    shown = Demonstration(village, date(2018, 10, 9), invented=False)
    assert steps.run_all(shown, by="演示") == ["演示：昆明市", "2018-10-09 False"]


@pytest.mark.usefixtures("_no_steps")
def test_a_key_that_is_taken_raises():
    steps.register("first", lambda demo, *, by: "")
    with pytest.raises(ValueError, match="'first'"):
        steps.register("first", lambda demo, *, by: "")
