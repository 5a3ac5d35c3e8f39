"""The pages of payment batches: who sees what, and the way from draft to bank through them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from fpadmin.accounts.models import SignInAttempt
from fpadmin.audit.models import AuditEvent
from subsidies.models import BatchState, Fund, LineState, PaymentBatch
from subsidies.payments import batch_page
from subsidies.payments.shares import split
from subsidies.services import payments
from subsidies.services.bank_returns import post_answers
from tests.factories.benefits import set_rate, switch_on
from tests.factories.meetings import make_payee_to_see
from tests.factories.payments import (
    NOW,
    TODAY,
    bring_to,
    make_batch,
    make_exception,
    make_money,
    make_payee,
    second_clerk,
)

PASSWORD = "Jiang-tai-73"
LISTS = ("subsidies:batch-list", "subsidies:line-list", "subsidies:line-sensitive-list")


@pytest.fixture
def people(clerk, reviewer, county_user):
    for user in (clerk, reviewer, county_user):
        user.set_password(PASSWORD)
        user.save()
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def batch(people, clerk, township, village, other_village):
    make_payee(village)
    make_payee(other_village, "苏翠琴")
    return make_batch(clerk, township)


def page(name, one):
    return reverse(f"subsidies:{name}", args=[one.pk])


def text(answer) -> str:
    return answer.content.decode()


def test_clerk_makes_a_batch_after_looking_at_it(clerk, township, village, sign_in):
    make_payee(village)
    switch_on("CN-RURAL", township)
    client = sign_in(clerk)
    chosen = client.get(reverse("subsidies:batch-create"))
    assert "CN-RURAL" in text(chosen)
    url = f"{reverse('subsidies:batch-create')}?policy=CN-RURAL"
    form = text(client.get(url))
    assert "2018年度" in form
    assert "起始年月" not in form
    asked = {"year": "2018", "pay_year": "2018", "note": ""}
    looked = client.post(url, asked | {"step": "check"})
    assert "960.00元" in text(looked)
    assert "玖佰陆拾元整" in text(looked)
    assert not PaymentBatch.objects.exists()
    assert not AuditEvent.objects.filter(type="payment.created").exists()
    made = client.post(url, asked)
    batch = PaymentBatch.objects.get()
    assert made["Location"] == batch.get_absolute_url()
    assert (batch.state, batch.lines.count()) == ("draft", 1)


def test_preview_says_who_is_held_and_who_is_left_out(clerk, township, village, sign_in):
    make_payee(village)
    unpaid = make_payee(village, "段无号")
    unpaid.resident.bank_account = ""
    unpaid.resident.save()
    make_batch(clerk, township)
    make_payee(village, "后来者")
    url = f"{reverse('subsidies:batch-create')}?policy=CN-RURAL"
    body = text(sign_in(clerk).post(url, {"year": "2018", "pay_year": "2018", "step": "check"}))
    assert "1笔，960.00元" in body
    assert "没有银行账号1笔" in body
    assert "已经发过或正在发放1人" in body


def test_second_click_makes_one_batch(clerk, township, village, sign_in):
    make_payee(village)
    switch_on("CN-RURAL", township)
    client = sign_in(clerk)
    url = f"{reverse('subsidies:batch-create')}?policy=CN-RURAL"
    asked = {"year": "2018", "pay_year": "2018", "once": "x" * 43}
    first, second = client.post(url, asked), client.post(url, asked)
    assert first["Location"] == second["Location"]
    assert PaymentBatch.objects.count() == 1


def test_month_outside_the_year_is_refused_on_the_form(clerk, township, village, sign_in):
    switch_on("CN-SPECIAL-DISABLED", township)
    url = f"{reverse('subsidies:batch-create')}?policy=CN-SPECIAL-DISABLED"
    asked = {"year": "2018", "pay_year": "2018", "from_month": "2017-01", "to_month": "2018-12"}
    answer = sign_in(clerk).post(url, asked)
    assert answer.status_code == 200
    assert "起止年月应在" in text(answer)


def test_batch_goes_to_the_bank_through_its_pages(
    batch, people, clerk, reviewer, county_user, sign_in
):
    desk, checker, chief = sign_in(clerk), sign_in(reviewer), sign_in(county_user)
    body = text(desk.get(page("batch-submit", batch)))
    assert "1,920.00元" in body
    assert "壹仟玖佰贰拾元整" in body
    desk.post(page("batch-submit", batch), {"row_version": batch.row_version})
    batch.refresh_from_db()
    assert batch.state == BatchState.SUBMITTED

    shown = text(checker.get(page("batch-check", batch)))
    assert batch.sha256[:12] in shown
    assert f'value="{batch.sha256}"' in shown
    checker.post(page("batch-check", batch), {"sha256": batch.sha256})
    make_money(clerk, batch.office)
    shown = text(chief.get(page("batch-approve", batch)))
    assert "1,000,000.00元" in shown
    chief.post(page("batch-approve", batch), {"sha256": batch.sha256, "password": PASSWORD})
    batch.refresh_from_db()
    assert (batch.state, batch.approved_by) == (BatchState.APPROVED, county_user)
    assert Fund.objects.get().reserved == Decimal("1920.00")

    payments.seal_batch(by=clerk, batch=batch, now=NOW)
    desk.post(page("batch-send", batch), {"password": PASSWORD})
    batch.refresh_from_db()
    assert batch.state == BatchState.SENT
    body = text(desk.get(batch.get_absolute_url()))
    assert body.count('class="is-done"') == 4
    assert 'aria-current="step"' in body
    assert "等银行回盘" in body


def test_wrong_password_changes_nothing_and_is_recorded(batch, people, clerk, county_user, sign_in):
    bring_to("checked", batch, **people)
    make_money(clerk, batch.office)
    asked = {"sha256": batch.sha256, "password": "anything-else"}
    answer = sign_in(county_user).post(page("batch-approve", batch), asked)
    assert answer.status_code == 200
    assert "密码不对" in text(answer)
    assert "anything-else" not in text(answer)
    batch.refresh_from_db()
    assert batch.state == BatchState.CHECKED
    event = AuditEvent.objects.get(type="step_up.refused")
    assert (event.actor_id, event.result, event.target_id) == (
        county_user.pk, "refused", str(batch.pk),
    )  # fmt: skip
    assert Fund.objects.get().reserved == 0


def test_five_wrong_passwords_refuse_the_right_one(batch, people, clerk, county_user, sign_in):
    bring_to("checked", batch, **people)
    make_money(clerk, batch.office)
    client = sign_in(county_user)
    for _ in range(5):
        client.post(page("batch-approve", batch), {"sha256": batch.sha256, "password": "no"})
    right = {"sha256": batch.sha256, "password": PASSWORD}
    answer = client.post(page("batch-approve", batch), right)
    assert "15分钟后再试" in text(answer)
    batch.refresh_from_db()
    assert batch.state == BatchState.CHECKED


def test_tries_of_a_quarter_of_an_hour_ago_are_forgotten(
    batch, people, clerk, county_user, sign_in
):
    bring_to("checked", batch, **people)
    make_money(clerk, batch.office)
    client = sign_in(county_user)
    for _ in range(5):
        client.post(page("batch-approve", batch), {"sha256": batch.sha256, "password": "no"})
    for attempt in SignInAttempt.objects.all():
        SignInAttempt.objects.filter(pk=attempt.pk).update(at=attempt.at - timedelta(minutes=16))
    right = {"sha256": batch.sha256, "password": PASSWORD}
    client.post(page("batch-approve", batch), right)
    batch.refresh_from_db()
    assert batch.state == BatchState.APPROVED


def test_loser_of_a_race_is_told_who_was_first(batch, people, reviewer, township, sign_in):
    bring_to("submitted", batch, **people)
    payments.check_batch(by=reviewer, batch=batch, sha256=batch.sha256, now=NOW)
    other = second_clerk(township)
    answer = sign_in(other).post(page("batch-check", batch), {"sha256": batch.sha256})
    assert answer.status_code == 409
    assert f"{reviewer.name}已于10-09 10:00核对" in text(answer)
    got = sign_in(other).get(page("batch-check", batch))
    assert got["Location"] == batch.get_absolute_url()


def test_own_batch_shows_why_somebody_else_has_to(batch, people, clerk, sign_in):
    bring_to("submitted", batch, **people)
    client = sign_in(clerk)
    assert "由您经办" in text(client.get(page("batch-check", batch)))
    answer = client.post(page("batch-check", batch), {"sha256": batch.sha256})
    assert (answer.status_code, "由您经办" in text(answer)) == (200, True)
    batch.refresh_from_db()
    assert batch.state == BatchState.SUBMITTED


def test_other_list_than_was_shown_is_refused_on_the_page(batch, people, reviewer, sign_in):
    bring_to("submitted", batch, **people)
    answer = sign_in(reviewer).post(page("batch-check", batch), {"sha256": "0" * 64})
    assert "名单和您看到的不一样" in text(answer)


def test_too_little_money_is_said_before_and_refused(batch, people, county_user, sign_in):
    bring_to("checked", batch, **people)
    client = sign_in(county_user)
    assert "不够发这一批" in text(client.get(page("batch-approve", batch)))
    answer = client.post(
        page("batch-approve", batch), {"sha256": batch.sha256, "password": PASSWORD}
    )
    assert "可用资金不足" in text(answer)


def test_batch_goes_back_with_a_phrase(batch, people, reviewer, clerk, sign_in):
    bring_to("submitted", batch, **people)
    client = sign_in(reviewer)
    answer = client.post(page("batch-return", batch), {"phrase": "", "note": ""})
    assert "请选一条常用原因" in text(answer)
    phrase = "有人户名或账号不对，请更正后重新计算。"
    client.post(page("batch-return", batch), {"phrase": phrase, "note": "第2笔。"})
    batch.refresh_from_db()
    assert batch.state == BatchState.DRAFT
    body = text(sign_in(clerk).get(batch.get_absolute_url()))
    assert f"退回：{phrase}第2笔。" in body


def test_batch_is_voided_with_a_reason(batch, clerk, sign_in):
    client = sign_in(clerk)
    assert "请填写原因" in text(client.post(page("batch-void", batch), {"note": ""}))
    client.post(page("batch-void", batch), {"note": "编重了"})
    batch.refresh_from_db()
    assert batch.state == BatchState.VOID
    assert "编重了" in text(client.get(batch.get_absolute_url()))


def test_draft_is_recalculated_from_its_page(batch, clerk, village, sign_in):
    make_payee(village, "后来者")
    client = sign_in(clerk)
    client.post(page("batch-recalculate", batch), {"row_version": batch.row_version})
    assert batch.lines.count() == 3
    stale = client.post(page("batch-recalculate", batch), {"row_version": batch.row_version})
    assert "没有办理" in text(stale)


def test_lines_are_held_and_released_one_by_one(batch, clerk, sign_in):
    line, client = batch.lines.get(line_no=1), sign_in(clerk)
    assert "请填写原因" in text(client.post(page("line-hold", line), {"reason": ""}))
    client.post(page("line-hold", line), {"reason": "要核实"})
    line.refresh_from_db()
    assert (line.state, line.hold_reason) == (LineState.HELD, "要核实")
    body = text(client.get(batch.get_absolute_url()))
    assert 'id="held"' in body
    assert "要核实" in body
    client.post(page("line-release", line))
    line.refresh_from_db()
    assert line.state == LineState.PLANNED
    assert client.post(page("line-release", line)).status_code == 409


def test_many_lines_are_held_at_once(batch, clerk, sign_in):
    client = sign_in(clerk)
    ticked = ",".join(str(pk) for pk in batch.lines.values_list("pk", flat=True))
    act = reverse("lists:act-confirm", args=["payment-lines", "hold"])
    looked = client.post(act, {"picked": ticked, "reason": "等核实", "step": "check"})
    assert looked.status_code == 200
    client.post(act, {"picked": ticked, "reason": "等核实", "step": "do"})
    assert batch.lines.filter(state=LineState.HELD, hold_reason="等核实").count() == 2


def test_villages_and_payers_both_add_to_the_total(clerk, township, village, other_village):
    for number in range(3):
        make_payee(village, f"陶{number}")
    make_payee(other_village, "苏翠琴")
    set_rate("CN-RURAL", township, "333.33")
    shares = {"中央": "33.3", "省": "33.3", "县": "33.4"}
    switch_on("CN-RURAL", township, shares=shares)
    batch = make_batch(clerk, township, is_on_already=True)
    parts = batch_page.parts_of(batch)
    assert parts.whole.total == Decimal("1333.32")
    assert sum(one.amount for one in parts.payers) == parts.whole.total
    assert sum(one.sums.total for one in parts.villages) == parts.whole.total
    assert [one.sums.count for one in parts.villages] == [3, 1]
    assert [one.percent for one in parts.payers] == ["33.3%", "33.3%", "33.4%"]
    for one in parts.villages:
        assert sum(one.shares.values()) == one.sums.total


def test_page_says_what_arrived_and_what_failed(batch, people, clerk, sign_in):
    bring_to("sent", batch, **people)
    first, second = batch.lines.order_by("line_no")
    post_answers(
        by=clerk, batch=batch, paid={first.pk: NOW.date()}, failed={second.pk: "户名与账号不符"},
        today=NOW.date(), now=NOW,
    )  # fmt: skip
    body = text(sign_in(clerk).get(batch.get_absolute_url()))
    assert "50.00" in body
    assert "已入账960.00/批准1,920.00" in body
    assert "户名与账号不符" in body
    assert "待补发1笔" in body
    assert page("account-tell", batch) in body
    assert page("reissue-create", batch) in body
    assert "壹仟玖佰贰拾元整" in body
    assert second.account not in body
    assert f"****{second.account[-4:]}" in body


def test_page_names_the_answers_that_wait_at_the_desk(batch, people, clerk, sign_in):
    bring_to("sent", batch, **people)
    client, listed = sign_in(clerk), reverse("subsidies:batch-list")
    assert "回盘异常等核实" not in text(client.get(batch.get_absolute_url()))
    assert "等经办核实回盘异常" not in text(client.get(listed))
    first, _ = batch.lines.order_by("line_no")
    done, _ = make_exception(first, "name"), make_exception(first, "amount")
    other = make_exception(first, "no_batch", batch=None, name="别批人")
    body = text(client.get(batch.get_absolute_url()))
    assert "有2条对不上" in body
    assert "<strong>等经办核实回盘异常，等银行回盘</strong>" in body
    assert "等经办核实回盘异常，等银行回盘" in text(client.get(listed))
    url = f"{reverse('subsidies:exception-list')}?batch={batch.pk}"
    assert f'href="{url}"' in body
    shown = text(client.get(url))
    assert (first.name in shown, other.name in shown) == (True, False)
    type(done).objects.filter(pk=done.pk).update(
        resolution="ignored", note="核实", resolved_by=clerk, resolved_at=NOW
    )
    assert "有1条对不上" in text(client.get(batch.get_absolute_url()))


@pytest.mark.parametrize("state", ["draft", "approved", "sent"])
def test_each_figure_opens_the_lines_it_counted(
    clerk, reviewer, county_user, township, village, other_village, sign_in, state
):
    for name, place in (("陶有田", village), ("宋桂兰", village), ("苏翠琴", other_village)):
        make_payee(place, name)
    batch = make_batch(clerk, township)
    payments.hold_line(by=clerk, line=batch.lines.get(line_no=1), reason="核实", now=NOW)
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    if state != "draft":
        batch = bring_to("approved", batch, **people)
        payments.hold_line(by=clerk, line=batch.lines.get(line_no=2), reason="死亡", now=NOW)
    if state == "sent":
        payments.seal_batch(by=clerk, batch=batch, now=NOW)
        payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
        paid = {batch.lines.get(state="instructed").pk: TODAY}
        post_answers(by=clerk, batch=batch, paid=paid, failed={}, today=TODAY, now=NOW)
    batch.refresh_from_db()
    sums = batch_page.sums_of(batch)
    figures = batch_page.figures_of(batch, sums, None)
    opened = [(one.url, one.count) for one in figures if one.url]
    opened += [(one.url, one.sums.count) for one in batch_page.parts_of(batch).villages]
    assert len(opened) >= 4
    for url, count in opened:
        assert sign_in(clerk).get(url).context["list"].total == count, url


def test_lines_show_account_masked_and_basis_in_words(batch, clerk, sign_in):
    client = sign_in(clerk)
    found = client.get(f"{page('batch-lines', batch)}?state=planned", follow=True)
    line = batch.lines.first()
    assert line.account not in text(found)
    assert f"{line.account[:4]}****{line.account[-4:]}" in text(found)
    village = client.get(page("batch-lines", batch), {"village": line.village_id}, follow=True)
    assert "陶有田" in text(village)
    assert "苏翠琴" not in text(village)


def test_print_has_each_village_and_the_whole_in_words(batch, clerk, sign_in):
    body = text(sign_in(clerk).get(page("batch-print", batch)))
    assert body.count('<section class="fp-sheet"') == 2
    assert body.count("人民币玖佰陆拾元整") == 2
    assert "禄脿街道总计" in body
    assert "人民币壹仟玖佰贰拾元整" in body
    assert "第2页　共2页" in body
    assert "经办：" in body
    assert batch.lines.first().account not in body
    assert AuditEvent.objects.get(type="payment.printed").count == 2


def test_record_of_steps_names_everybody(batch, people, clerk, reviewer, sign_in):
    bring_to("checked", batch, **people)
    body = text(sign_in(clerk).get(page("batch-steps", batch)))
    assert body.index(f"{reviewer.name}") < body.index("编制")


def test_batches_wait_for_who_may_take_the_next_step(batch, people, clerk, reviewer, sign_in):
    mine = f"{reverse('subsidies:batch-list')}?mine=true"
    assert batch.number in text(sign_in(clerk).get(mine))
    assert batch.number not in text(sign_in(reviewer).get(mine))
    bring_to("submitted", batch, **people)
    assert batch.number not in text(sign_in(clerk).get(mine))
    assert batch.number in text(sign_in(reviewer).get(mine))
    assert "等我办理的发放批次" in text(sign_in(reviewer).get(reverse("home")))
    assert f"等{reviewer.name}核对" in text(sign_in(clerk).get(batch.get_absolute_url()))


def test_other_township_is_not_found(batch, other_clerk, sign_in):
    client = sign_in(other_clerk)
    for name in ("batch-detail", "batch-lines", "batch-print", "batch-steps", "batch-submit"):
        assert client.get(page(name, batch)).status_code == 404
    assert client.get(page("line-hold", batch.lines.first())).status_code == 404
    assert batch.number not in text(client.get(reverse("subsidies:batch-list")))


def test_village_worker_and_auditor_may_not(batch, propagandist, auditor, sign_in):
    for user in (propagandist, auditor):
        for name in ("batch-detail", "batch-approve"):
            assert sign_in(user).get(page(name, batch)).status_code == 403


def test_sensitive_batch_is_hidden_from_who_may_not_know(
    clerk, township, village, auditor, propagandist
):
    make_payee(village, "隐情", code="CN-SPECIAL-DEATH")
    batch = make_batch(clerk, township, "CN-SPECIAL-DEATH")
    assert batch in PaymentBatch.objects.visible_to(clerk)
    assert batch not in PaymentBatch.objects.visible_to(auditor)
    assert not type(batch.lines.first()).objects.visible_to(propagandist).exists()


def test_sensitive_lines_stand_in_their_own_list(clerk, township, village, sign_in):
    make_payee(village, "隐情", code="CN-SPECIAL-DEATH")
    batch = make_batch(clerk, township, "CN-SPECIAL-DEATH")
    client = sign_in(clerk)
    answer = client.get(page("batch-lines", batch))
    assert reverse("subsidies:line-sensitive-list") in answer["Location"]
    assert "隐情" in text(client.get(answer["Location"]))
    wrong = client.get(reverse("subsidies:line-list"), {"batch": batch.pk})
    assert wrong.status_code == 404
    assert "隐情" not in text(client.get(reverse("subsidies:line-list")))


@pytest.mark.parametrize("name", LISTS)
def test_query_count_of_the_lists(
    name, clerk, township, village, sign_in, assert_query_count_does_not_grow
):
    code = "CN-SPECIAL-DEATH" if "sensitive" in name else "CN-RURAL"
    make_payee(village, code=code)
    make_batch(clerk, township, code)
    client = sign_in(clerk)

    def grow():
        for number in range(5):
            make_payee(village, f"赵{number}", code=code)
            make_batch(clerk, township, code, is_on_already=True)

    client.get(reverse(name))
    assert_query_count_does_not_grow(lambda: client.get(reverse(name)), grow)


def test_query_count_of_the_page(
    batch, clerk, village, township, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    for line in batch.lines.all():
        payments.hold_line(by=clerk, line=line, reason="核实", now=NOW)

    def grow():
        for number in range(5):
            make_payee(village, f"赵{number}")
        batch.refresh_from_db()
        payments.recalculate(
            by=clerk, batch=batch, row_version=batch.row_version, today=NOW.date(), now=NOW
        )
        for line in batch.lines.filter(state="planned"):
            payments.hold_line(by=clerk, line=line, reason="核实", now=NOW)

    pages = [page(name, batch) for name in ("batch-detail", "batch-submit", "batch-print")]
    assert_query_count_does_not_grow(lambda: [client.get(url) for url in pages], grow)


def test_order_of_the_shares_changes_nothing():
    """PostgreSQL gives keys of JSON back in an order of its own."""
    shares = {"县": Decimal("33.4"), "省": Decimal("33.3"), "中央": Decimal("33.3")}
    forth = split(Decimal("333.33"), shares)
    back = split(Decimal("333.33"), dict(reversed(shares.items())))
    assert list(forth.items()) == list(back.items())
    assert list(forth) == ["中央", "省", "县"]


def test_imported_past_is_shown_without_steps_or_acts(clerk, village, sign_in):
    make_payee_to_see(village)
    past = PaymentBatch.objects.get(kind="history")
    client = sign_in(clerk)
    body = text(client.get(past.get_absolute_url()))
    assert "历史发放" in body
    assert "发放金额" in body
    assert "fp-steps" not in body
    assert page("batch-answers", past) not in body
    assert page("batch-close", past) not in body
    assert "没有办理记录" in text(client.get(page("batch-steps", past)))
