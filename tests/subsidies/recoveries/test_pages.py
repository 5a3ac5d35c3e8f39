"""The pages of recoveries: suspected, proposed, decided by another, repaid, down to nothing."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from subsidies.models import Fund, Recovery
from subsidies.services.bank_returns import post_answers
from subsidies.services.recoveries import propose_recovery
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_payee, second_clerk

pytestmark = pytest.mark.django_db
LIST = "subsidies:recovery-list"
DEATH = "CN-SPECIAL-DEATH"


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


def paid_lines(people, village, names=("陶有田",), code="CN-RURAL", **values):
    for name in names:
        make_payee(village, name, code=code)
    batch = make_batch(people["clerk"], village.parent, code, **values)
    batch = bring_to("sent", batch, **people)
    keys = list(batch.lines.values_list("pk", flat=True))
    post_answers(
        by=people["clerk"], batch=batch, paid=dict.fromkeys(keys, TODAY), failed={}, today=TODAY,
        now=NOW,
    )  # fmt: skip
    return list(batch.lines.order_by("line_no"))


def end(line, month=date(2018, 3, 1)):
    line.enrolment.end_month, line.enrolment.end_reason = month, "死亡"
    line.enrolment.save()


def proposed(by, line, amount="960.00", **values):
    values = {"reason": "overpaid", "by_deduction": False, "note": "死亡晚报"} | values
    return propose_recovery(
        by=by, line=line, amount=Decimal(amount), today=TODAY, now=NOW, **values
    )


def text(response):
    return response.content.decode()


def labels(user):
    return {todo.label: todo.count for todo in todos_for(user, TODAY)}


def test_from_suspicion_to_nothing_left(people, clerk, reviewer, village, sign_in):
    line = paid_lines(people, village, code=DEATH)[0]
    end(line)
    client, other = sign_in(clerk), sign_in(reviewer)
    page = text(client.get(reverse(LIST)))
    assert "2018-04至2018-12，9个月" in page
    assert "4,050.00" in page

    url = reverse("subsidies:recovery-create", args=[line.pk])
    assert url in page
    assert 'value="4050.00"' in text(client.get(url))
    data = {"reason": "overpaid", "amount": "4050.00", "by_deduction": "no", "note": "3月死亡"}
    assert "请填写" in text(client.post(url, data | {"note": ""})) or not Recovery.objects.exists()
    assert "最多可追回5,400.00元" in text(client.post(url, data | {"amount": "5400.01"}))
    client.post(url, data)
    recovery = Recovery.objects.get()
    assert "没有发现" in text(client.get(reverse(LIST)))
    assert labels(reviewer)["追回待审核"] == 1
    assert "追回待审核" not in labels(clerk)

    detail = reverse("subsidies:recovery-detail", args=[recovery.pk])
    assert "等另一人审核" in text(client.get(detail))
    decide = reverse("subsidies:recovery-decide", args=[recovery.pk])
    assert decide in text(other.get(detail))
    assert "不能审核自己提出的" in text(client.post(decide, {"decision": "accept", "note": ""}))
    assert "不同意要写明原因" in text(other.post(decide, {"decision": "refuse", "note": ""}))
    other.post(decide, {"decision": "accept", "note": ""})
    assert labels(clerk)["追回没有到账"] == 1

    repay = reverse("subsidies:recovery-repay", args=[recovery.pk])
    assert 'value="4050.00"' in text(client.get(repay))
    money = {"amount": "1000", "happened_on": "20181009", "document": "收据1号"}
    client.post(repay, money)
    assert "3,050.00" in text(client.get(detail))
    assert "最多可追回3,050.00元" in text(client.post(repay, money | {"amount": "3050.01"}))
    client.post(repay, money | {"amount": "3050"})
    page = text(client.get(detail))
    assert "已追回" in page
    assert repay not in page
    assert "现在不能登记" in text(client.get(repay))
    assert Fund.objects.get().recovered == 4050
    assert client.get(reverse(LIST)).context["list"].total == 0
    assert client.get(reverse(LIST), {"state": "settled"}).context["list"].total == 1


def test_refused_one_may_be_proposed_again(people, clerk, village, sign_in):
    line = paid_lines(people, village)[0]
    recovery = proposed(clerk, line)
    url = reverse("subsidies:recovery-decide", args=[recovery.pk])
    other = sign_in(second_clerk(village.parent))
    other.post(url, {"decision": "refuse", "note": "没有多发"})
    page = text(sign_in(clerk).get(reverse("subsidies:recovery-detail", args=[recovery.pk])))
    assert reverse("subsidies:recovery-create", args=[line.pk]) in page
    assert "没有多发" in page


def test_who_is_paid_no_more_is_offered_no_deduction(people, clerk, village, sign_in):
    line = paid_lines(people, village)[0]
    url = reverse("subsidies:recovery-create", args=[line.pk])
    client = sign_in(clerk)
    assert "从以后同一政策的发放中抵扣" in text(client.get(url))
    end(line)
    assert "从以后同一政策的发放中抵扣" not in text(client.get(url))


def test_reviewer_sees_the_suspicion_and_proposes_nothing(people, reviewer, village, sign_in):
    line = paid_lines(people, village, code=DEATH)[0]
    end(line)
    client = sign_in(reviewer)
    assert "提出追回：" not in text(client.get(reverse(LIST)))
    url = reverse("subsidies:recovery-create", args=[line.pk])
    assert client.get(url).status_code == 403


def test_list_of_recoveries_asks_once(
    people, clerk, village, sign_in, assert_query_count_does_not_grow
):
    first, suspected, *rest = paid_lines(
        people, village, [f"陶{number}" for number in range(10)], code=DEATH
    )
    proposed(clerk, first)
    end(suspected)
    client = sign_in(clerk)
    client.get(reverse("subsidies:recovery-list"))

    def more():
        for line in rest[:4]:
            proposed(clerk, line)
        for line in rest[4:]:
            end(line)

    assert_query_count_does_not_grow(lambda: client.get(reverse("subsidies:recovery-list")), more)
