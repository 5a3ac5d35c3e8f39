"""The workbook 代发回盘: what is posted, what is known, what goes to the desk, what is refused."""

import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fpadmin.audit.models import AuditEvent
from fpadmin.imports.kinds import KINDS, Unreadable
from fpadmin.imports.models import ImportEffect
from subsidies.models import Fund, FundEntry, PaymentLine, ReturnException
from subsidies.services import payments
from subsidies.services.bank_returns import pay_late, return_line
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_payee
from tests.factories.workbooks import make_workbook, run_import
from tests.subsidies.bank_returns.books import KIND, answer, book, counts, look, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(sent):
    return list(sent.lines.select_related("batch").order_by("line_no"))


def states(batch):
    return list(batch.lines.order_by("line_no").values_list("state", flat=True))


def money():
    fund = Fund.objects.get()
    assert fund.allotted == fund.free + fund.reserved + fund.paid - fund.recovered
    return fund.free, fund.reserved, fund.paid


def desk():
    return list(ReturnException.objects.order_by("pk").values_list("problem", "line_no"))


def words(outcome):
    return [(issue.row, issue.code) for issue in outcome.issues]


def everything(sent):
    """What must stay as it is when nothing changes."""
    return (
        list(PaymentLine.objects.order_by("pk").values_list("state", "paid_on", "answered_at")),
        money(), FundEntry.objects.count(), desk(), sent.steps.count(),
    )  # fmt: skip


# Posted -------------------------------------------------------------------------------------------


def test_answers_are_posted_with_the_money(clerk, sent, lines):
    one, two, three = lines
    outcome = take(clerk, answer(one), answer(two, "失败"), answer(three, "失败", reason=""))
    assert (counts(outcome), outcome.written) == ((3, 0, 0, 0), True)
    assert states(sent) == ["paid", "failed", "failed"]
    assert [one.failed_reason for one in sent.lines.order_by("line_no")] == [
        "", "账号不存在", "银行未说明原因",
    ]  # fmt: skip
    assert money() == (Decimal("999040"), 0, Decimal("960"))
    assert FundEntry.objects.filter(kind="pay").count() == 1
    assert FundEntry.objects.filter(kind="release").count() == 1
    sent.refresh_from_db()
    assert sent.state == "reconciled"
    assert AuditEvent.objects.filter(type="payment.answered").count() == 1


def test_the_preview_says_it_in_words_and_changes_nothing(clerk, sent, lines):
    one, two, three = lines
    before = everything(sent)
    outcome = look(clerk, answer(one), answer(two, "失败"), answer(three, amount="959.99"))
    assert everything(sent) == before
    assert outcome.issues[0].message == "入账1笔共960.00元，失败1笔，已登记过0行，转回盘异常1行。"
    assert words(outcome)[1:] == [(4, "to_desk")]
    assert [(one.target, one.old, one.new) for one in outcome.changes] == [
        ("陶有田（1号）", "银行处理中", "已入账 2018-10-09"),
        ("马桂英（2号）", "银行处理中", "失败：账号不存在"),
    ]


def test_banks_words_for_the_outcome_are_understood(clerk, sent, lines):
    one, two, _ = lines
    rows = [answer(one, "交易成功", paid_on="2018-10-09"), answer(two, "退票")]
    assert counts(take(clerk, *rows)) == (2, 0, 0, 0)
    assert states(sent)[:2] == ["paid", "failed"]


def test_names_and_accounts_may_be_written_otherwise(clerk, sent, lines):
    account = lines[0].account
    row = answer(lines[0], name=" 陶 有田", account=f"{account[:4]} {account[4:8]}-{account[8:]}")
    assert counts(take(clerk, row)) == (1, 0, 0, 0)


def test_a_job_without_a_person_posts_too(clerk, sent, lines, township):
    outcome = run_import(KIND, book(answer(lines[0])), township)
    assert counts(outcome) == (1, 0, 0, 0)
    assert states(sent)[0] == "paid"


# The same file again (F20, F22) -------------------------------------------------------------------


def as_csv(rows, encoding):
    columns = KINDS[KIND].columns
    table = [[column.heading for column in columns]]
    table += [[str(row.get(column.key, "")) for column in columns] for row in rows]
    return "\r\n".join(",".join(row) for row in table).encode(encoding)


def test_the_same_file_again_changes_nothing_and_says_so(clerk, sent, lines):
    rows = [answer(lines[0]), answer(lines[1], "失败"), answer(lines[2], amount="1")]
    first = book(*rows)
    take(clerk, content=first)
    before = everything(sent)
    random.Random(1).shuffle(rows)
    title = ["批次结果"]
    headings = [column.heading for column in reversed(KINDS[KIND].columns)]
    cells = [[row[column.key] for column in reversed(KINDS[KIND].columns)] for row in rows]
    for content, name in (
        (first, "回盘.xlsx"), (first, "改名.xlsx"), (book(*rows), "打乱.xlsx"),
        (make_workbook(headings, cells, title="结果", above=[title]), "另存.xlsx"),
        (as_csv(rows, "gbk"), "回盘.csv"), (as_csv(rows, "utf-8-sig"), "回盘.csv"),
    ):  # fmt: skip
        outcome = take(clerk, content=content, name=name)
        assert counts(outcome) == (0, 0, 3, 0), name
        assert "入账0笔" in outcome.issues[0].message
        assert "已登记过3行" in outcome.issues[0].message
    assert everything(sent) == before


def test_a_row_twice_in_a_file_is_posted_once(clerk, sent, lines):
    outcome = take(clerk, answer(lines[0]), answer(lines[0]))
    assert counts(outcome) == (1, 0, 1, 0)
    assert words(outcome)[1:] == [(3, "same_row")]
    assert money()[2] == Decimal("960")


def test_failed_twice_with_two_reasons_is_posted_once(clerk, sent, lines):
    outcome = take(clerk, answer(lines[0], "失败"), answer(lines[0], "失败", reason="户名不符"))
    assert counts(outcome) == (1, 0, 1, 0)
    assert sent.lines.get(line_no=1).failed_reason == "账号不存在"


def test_the_rest_of_a_batch_comes_in_a_second_file(clerk, sent, lines):
    take(clerk, answer(lines[0]))
    outcome = take(clerk, *map(answer, lines))
    assert counts(outcome) == (2, 0, 1, 0)
    assert states(sent) == ["paid"] * 3
    assert money() == (Decimal("997120"), 0, Decimal("2880"))


# For the desk -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"batch_no": "539981001-2018-777"}, "no_batch"),
        ({"line_no": 4}, "no_line"),
        ({"name": "陶有天"}, "name"),
        ({"account": "6229000099999999999"}, "account"),
        ({"amount": "960.01"}, "amount"),
        ({"amount": "959.99", "result": "失败"}, "amount"),
    ],
)
def test_rows_that_fit_no_payment_go_to_the_desk(clerk, sent, lines, cells, problem):
    outcome = take(clerk, answer(lines[0], **cells), answer(lines[1]))
    assert counts(outcome) == (1, 1, 0, 0)
    assert states(sent) == ["instructed", "paid", "instructed"]
    exception = ReturnException.objects.get()
    assert (exception.problem, exception.office) == (problem, clerk.region)
    assert exception.line == (None if problem in ("no_batch", "no_line") else lines[0])
    assert AuditEvent.objects.get(type="bank_return.queued").count == 1
    assert counts(take(clerk, answer(lines[0], **cells))) == (0, 0, 1, 0)
    assert ReturnException.objects.count() == 1


def test_two_outcomes_of_one_payment_are_both_for_the_desk(clerk, sent, lines):
    one, two, _ = lines
    outcome = take(clerk, answer(one), answer(one, "失败"), answer(two, paid_on="2018/10/9"))
    assert counts(outcome) == (1, 2, 0, 0)
    assert desk() == [("two_outcomes", 1), ("two_outcomes", 1)]
    assert states(sent) == ["instructed", "paid", "instructed"]


def test_an_answer_against_an_earlier_one_is_for_the_desk(clerk, sent, lines):
    one, two, _ = lines
    take(clerk, answer(one), answer(two, "失败"))
    before = states(sent), money()
    assert counts(take(clerk, answer(one, "失败"), answer(two))) == (0, 2, 0, 0)
    assert desk() == [("late_failure", 1), ("late_success", 2)]
    assert (states(sent), money()) == before


def test_a_batch_not_sent_takes_nothing_until_it_is(clerk, township, village, people):
    make_payee(village)
    batch = bring_to("sealed", make_batch(clerk, township), **people)
    row = answer(batch.lines.get())
    assert counts(take(clerk, row)) == (0, 1, 0, 0)
    assert desk() == [("not_sent", 1)]
    payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    assert counts(take(clerk, row)) == (1, 0, 0, 0)
    exception = ReturnException.objects.get()
    assert (exception.resolution, exception.resolved_by) == ("paid", clerk)


def test_an_exception_is_about_something_else_once_the_batch_is_sent(
    clerk, township, village, people
):
    make_payee(village)
    batch = bring_to("sealed", make_batch(clerk, township), **people)
    row = answer(batch.lines.get(), name="别人")
    take(clerk, row)
    payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    take(clerk, row)
    assert desk() == [("name", 1)]
    assert ReturnException.objects.get().line == batch.lines.get()


def test_a_line_kept_out_of_the_payment_is_not_known_to_the_bank(clerk, township, village, people):
    make_payee(village)
    make_payee(village, "马桂英")
    batch = bring_to("approved", make_batch(clerk, township), **people)
    held = batch.lines.get(line_no=1)
    payments.hold_line(by=clerk, line=held, reason="已去世", now=NOW)
    payments.seal_batch(by=clerk, batch=batch, now=NOW)
    payments.send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
    assert counts(take(clerk, answer(held))) == (0, 1, 0, 0)
    assert desk() == [("no_line", 1)]


def test_another_offices_batch_is_unknown(clerk, other_clerk, sent, lines):
    other_row = take(other_clerk, answer(lines[0], name="别人"))
    unknown = take(other_clerk, answer(lines[0], batch_no="539981001-2018-900"))
    assert counts(other_row) == counts(unknown) == (0, 1, 0, 0)
    assert [issue.message for issue in other_row.issues][1:] == [
        issue.message for issue in unknown.issues
    ][1:]
    exceptions = ReturnException.objects.values_list("office", "problem", "batch", "line")
    assert set(exceptions) == {(other_clerk.region_id, "no_batch", None, None)}
    assert states(sent) == ["instructed"] * 3


# After somebody has seen to a line ----------------------------------------------------------------


def test_the_old_file_changes_nothing_after_a_late_success(clerk, sent, lines):
    rows = [answer(lines[0], "失败"), answer(lines[1]), answer(lines[2])]
    take(clerk, *rows)
    pay_late(
        by=clerk, line=PaymentLine.objects.get(pk=lines[0].pk), paid_on=TODAY, today=TODAY, now=NOW
    )
    before = everything(sent)
    outcome = take(clerk, *rows)
    assert counts(outcome) == (0, 0, 3, 0)
    assert (2, "failed_before") in words(outcome)
    assert everything(sent) == before
    assert counts(take(clerk, answer(lines[0], "失败", reason="退汇"))) == (0, 1, 0, 0)


def test_the_old_file_changes_nothing_after_money_came_back(clerk, sent, lines):
    take(clerk, *map(answer, lines))
    return_line(
        by=clerk, line=PaymentLine.objects.get(pk=lines[0].pk), reason="销户", today=TODAY, now=NOW
    )
    before = everything(sent)
    assert counts(take(clerk, *map(answer, lines))) == (0, 0, 3, 0)
    assert everything(sent) == before


# Refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"result": ""}, "required"),
        ({"result": "处理中"}, "choice"),
        ({"paid_on": ""}, "required"),
        ({"paid_on": "2018-10-10"}, "date_future"),
        ({"paid_on": "2018-10-08"}, "paid_before_sent"),
        ({"amount": "九百六"}, "money"),
        ({"amount": "99999999999"}, "money"),
        ({"line_no": 0}, "int_range"),
    ],
)
def test_a_row_with_a_fault_keeps_the_whole_file_out(clerk, sent, lines, cells, code):
    outcome = take(clerk, answer(lines[0], **cells), answer(lines[1]))
    assert [issue.code for issue in outcome.errors] == [code]
    assert (outcome.written, states(sent)) == (False, ["instructed"] * 3)
    outcome = take(clerk, answer(lines[0], **cells), answer(lines[1]), good_rows=True)
    assert counts(outcome) == (1, 0, 0, 1)


def test_a_file_without_a_column_posts_nothing(clerk, sent, lines):
    columns = [column for column in KINDS[KIND].columns if column.key != "result"]
    rows = [[answer(line)[column.key] for column in columns] for line in lines]
    content = make_workbook([column.heading for column in columns], rows)
    with pytest.raises(Unreadable, match="处理结果"):
        take(clerk, content=content)
    assert states(sent) == ["instructed"] * 3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_posts_nothing(clerk, sent, lines, share):
    content = book(*map(answer, lines))
    with pytest.raises(Unreadable):
        take(clerk, content=content[: int(len(content) * share)])
    assert states(sent) == ["instructed"] * 3


def test_a_csv_cut_in_the_middle_of_a_row_posts_nothing_of_that_row(clerk, sent, lines):
    content = as_csv(list(map(answer, lines)), "gbk")
    outcome = take(clerk, content=content[:-25], name="回盘.csv")
    assert outcome.errors
    assert states(sent) == ["instructed"] * 3


def test_an_answer_given_meanwhile_stops_the_whole_file(clerk, sent, lines, monkeypatch):
    from subsidies.bank_returns import writing

    posted = writing.post_answers

    def meanwhile(**values):
        PaymentLine.objects.filter(pk=lines[2].pk).update(state="paid", paid_on=TODAY)
        return posted(**values)

    monkeypatch.setattr(writing, "post_answers", meanwhile)
    with pytest.raises(Unreadable) as caught:
        take(clerk, *map(answer, lines))
    assert caught.value.code == "changed_meanwhile"
    assert states(sent) == ["instructed"] * 3
    assert money()[2] == 0


def test_the_import_cannot_be_taken_back(clerk, sent, lines):
    take(clerk, *map(answer, lines))
    assert not ImportEffect.objects.exists()
    assert "不能撤销" in KINDS[KIND].note


def test_the_queries_do_not_grow_with_the_rows(clerk, township, village, people):
    for number in range(9):
        make_payee(village, f"陶有{number}")
    batch = bring_to("sent", make_batch(clerk, township), **people)
    lines = list(batch.lines.select_related("batch").order_by("line_no"))

    def asked(rows):
        with CaptureQueriesContext(connection) as queries:
            take(clerk, *rows)
        return len(queries)

    asked([answer(lines[0]), answer(lines[1], "失败"), answer(lines[2], name="别人")])
    few = asked([answer(lines[2]), answer(lines[3], "失败")])
    many = asked([*(answer(one) for one in lines[4:7]), answer(lines[7], "失败")])
    assert many <= few


def test_numbers_are_masked_in_messages(clerk, sent, lines):
    outcome = look(clerk, answer(lines[0], account="6229000099999999999"))
    assert "6229000099999999999" not in str(outcome)
    assert lines[0].account not in str(outcome)


def test_what_lines_are_cut_by_is_held_before_the_fund(clerk, lines):
    """A repayment holds the recovery and then the fund: the other way round both would wait."""
    with CaptureQueriesContext(connection) as queries:
        take(clerk, answer(lines[0]))
    asked = [one["sql"] for one in queries if one["sql"].startswith("SELECT")]
    first = {
        table: next(at for at, sql in enumerate(asked) if f'FROM "{table}"' in sql.split(" WHERE ")[0])
        for table in ("subsidies_recovery", "subsidies_fund", "audit_chainhead")
    }  # fmt: skip
    assert sorted(first, key=first.get) == [
        "subsidies_recovery",
        "subsidies_fund",
        "audit_chainhead",
    ]
