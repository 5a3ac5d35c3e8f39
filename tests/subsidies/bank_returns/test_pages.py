"""Pages of the bank's answers: the desk's list, both sides of an exception, a batch, one payment, to-dos."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from subsidies.bank_returns.ways import ways_of
from subsidies.models import PaymentLine, ReturnException
from subsidies.services.bank_returns import post_answers
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_exception, make_payee

pytestmark = pytest.mark.django_db
LIST = reverse("subsidies:exception-list")


@pytest.fixture
def client(sign_in, clerk):
    return sign_in(clerk)


@pytest.fixture
def line(sent):
    return sent.lines.get(line_no=1)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def answers(batch, **query):
    address = reverse("subsidies:batch-answers", args=[batch.pk])
    return address + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def test_the_list_shows_what_waits(client, line):
    make_exception(line, "amount", amount="959.00")
    done = make_exception(line, "name", name="别人")
    ReturnException.objects.filter(pk=done.pk).update(
        resolution="ignored", note="核实", resolved_by=line.batch.made_by, resolved_at=NOW
    )
    shown = text(client.get(LIST))
    assert "金额与发放时不同" in shown
    assert "成功　959.00元　2018-10-09入账" in shown
    assert "别人" not in shown
    assert "别人" in text(client.get(LIST + "?state=done"))


def test_the_list_asks_no_more_for_more_rows(
    client, township, village, people, assert_query_count_does_not_grow
):
    make_payee(village)
    batch = bring_to("sent", make_batch(people["clerk"], township), **people)
    line = batch.lines.get()
    make_exception(line)
    assert_query_count_does_not_grow(
        lambda: client.get(LIST), lambda: [make_exception(line, "amount") for _ in range(5)]
    )


def test_both_sides_stand_beside_each_other_with_masked_accounts(client, line):
    exception = make_exception(line, "account", account="6229000099999999999")
    shown = text(client.get(reverse("subsidies:exception-detail", args=[exception.pk])))
    assert "账号与发放时不同" in shown
    assert "6229000099999999999" not in shown
    assert line.account not in shown
    for word in ("确认入账", "确认失败", "转追回", "核实后不处理"):
        assert word in shown


@pytest.mark.parametrize(
    ("problem", "values"),
    [
        ("amount", {"amount": "690.00"}),
        ("name", {}),
        ("account", {"result": "失败", "paid_on": None}),
    ],
)
def test_help_names_no_way_out_that_is_not_offered(client, line, problem, values):
    exception = make_exception(line, problem, **values)
    shown = text(client.get(reverse("subsidies:exception-detail", args=[exception.pk])))
    ways = {one.label for one in ways_of(exception)}
    named = {label for label in ReturnException.Resolution.labels if f"“{label}”" in shown}
    assert named <= ways
    assert ("请银行更正，退回重发" in shown) == (problem == "amount")


@pytest.mark.parametrize("outcome", ["paid", "failed"])
def test_help_follows_a_payment_that_was_answered_meanwhile(client, clerk, line, outcome):
    exception = make_exception(line, "amount", amount="690.00")
    answer = {"paid": {}, "failed": {}} | {
        outcome: {line.pk: TODAY if outcome == "paid" else "销户"}
    }
    post_answers(by=clerk, batch=line.batch, today=TODAY, now=NOW, **answer)
    shown = text(client.get(reverse("subsidies:exception-detail", args=[exception.pk])))
    ways = {one.label for one in ways_of(ReturnException.objects.get(pk=exception.pk))}
    assert {one for one in ReturnException.Resolution.labels if f"“{one}”" in shown} <= ways


def test_an_exception_is_settled_on_its_page(client, line, clerk):
    exception = make_exception(line)
    address = reverse("subsidies:exception-resolve", args=[exception.pk])
    shown = text(client.post(address, {"resolution": "paid", "paid_on": "2018-10-09", "note": ""}))
    assert "错误" in shown
    response = client.post(
        address, {"resolution": "paid", "paid_on": "2018-10-09", "note": "看了流水"}
    )
    assert response.status_code == 302
    assert PaymentLine.objects.get(pk=line.pk).state == "paid"
    detail = text(client.get(reverse("subsidies:exception-detail", args=[exception.pk])))
    assert "看了流水" in detail
    assert "保存处理结果" not in detail
    again = client.post(address, {"resolution": "ignored", "note": "再来一次"})
    assert again.status_code == 200
    exception.refresh_from_db()
    assert exception.note == "看了流水"


def test_who_only_reads_is_offered_no_way_out(sign_in, reviewer, line):
    exception = make_exception(line)
    client = sign_in(reviewer)
    shown = text(client.get(reverse("subsidies:exception-detail", args=[exception.pk])))
    assert "保存处理结果" not in shown
    address = reverse("subsidies:exception-resolve", args=[exception.pk])
    assert client.post(address, {"resolution": "ignored", "note": "x"}).status_code == 403


def test_a_batch_by_village_and_reason(client, clerk, sent):
    one, two, _ = sent.lines.order_by("line_no")
    post_answers(
        by=clerk, batch=sent, paid={one.pk: TODAY}, failed={two.pk: "账号不存在"}, today=TODAY,
        now=NOW,
    )  # fmt: skip
    shown = text(client.get(answers(sent)))
    assert "账号不存在" in shown
    assert "宋桂兰" in shown  # still out
    assert "陶有田" not in shown  # paid
    assert one.account not in shown
    assert "全部标为结果不明" not in shown  # sent today
    assert "陶有田" in text(client.get(answers(sent, no=1)))
    assert "没有这个序号" in text(client.get(answers(sent, no="9999999")))
    assert "没有这个序号" in text(client.get(answers(sent, no="²")))


def test_the_page_of_a_batch_asks_no_more_for_more_lines(
    client, clerk, township, village, people, assert_query_count_does_not_grow
):
    def sent_with(number, is_on):
        for one in range(number):
            make_payee(village, f"陶{number}{one}")
        return bring_to("sent", make_batch(clerk, township, is_on_already=is_on), **people)

    batches = [sent_with(1, False)]
    assert_query_count_does_not_grow(
        lambda: client.get(answers(batches[-1])), lambda: batches.append(sent_with(6, True))
    )


def test_silence_is_marked_after_three_working_days(client, sent, settings):
    address = reverse("subsidies:batch-answers-unclear", args=[sent.pk])
    assert client.post(address, follow=True).status_code == 200
    assert not sent.lines.filter(state="unknown").exists()
    settings.TODAY = "2018-10-15"
    assert "全部标为结果不明" in text(client.get(answers(sent)))
    assert "3笔已标为结果不明" in text(client.post(address, follow=True))
    assert sent.lines.filter(state="unknown").count() == 3
    assert "全部标为结果不明" not in text(client.get(answers(sent)))


def test_one_payment_is_answered_on_its_page(client, line):
    address = reverse("subsidies:line-answer", args=[line.pk])
    assert "失败，没有入账" in text(client.get(address))
    shown = text(client.post(address, {"state": "paid", "paid_on": ""}))
    assert "请填写入账日期" in shown
    response = client.post(address, {"state": "paid", "paid_on": "20181009"})
    assert response.status_code == 302
    assert PaymentLine.objects.get(pk=line.pk).state == "paid"
    shown = text(client.get(address))
    assert "退票" in shown
    client.post(address, {"state": "returned", "reason": "销户"})
    assert PaymentLine.objects.get(pk=line.pk).state == "returned"
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("state", ["draft", "sealed"])
def test_a_batch_not_with_the_bank_has_no_such_page(
    client, clerk, township, village, people, state
):
    make_payee(village)
    batch = make_batch(clerk, township)
    if state != "draft":
        bring_to(state, batch, **people)
    assert client.get(answers(batch)).status_code == 404
    line = batch.lines.get()
    assert client.get(reverse("subsidies:line-answer", args=[line.pk])).status_code == 404


def test_what_waits_stands_on_the_home_page(clerk, reviewer, sent, line):
    def waiting(user, day=TODAY):
        found = {one.label: one.count for one in todos_for(user, day)}
        return {label: n for label, n in found.items() if "回盘" in label or "补发" in label}

    number = sent.number
    assert waiting(clerk) == {}
    assert waiting(clerk, date(2018, 10, 15)) == {f"银行没有回盘：批次{number}": 3}
    two = sent.lines.get(line_no=2)
    post_answers(by=clerk, batch=sent, paid={}, failed={two.pk: "销户"}, today=TODAY, now=NOW)
    make_exception(line)
    assert waiting(clerk) == {"银行回盘对不上的": 1, f"失败待补发：批次{number}": 1}
    assert not {label for label in waiting(reviewer) if "对不上" in label}
