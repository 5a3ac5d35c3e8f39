"""The pages of failed payments: the check list of a re-issue, the village told, accounts mended."""

import pytest
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from households.models import ChangeRequest
from subsidies.models import PaymentBatch
from subsidies.reissues.account_list import KEY
from subsidies.services.bank_returns import post_answers
from subsidies.services.reissues import create_reissue, tell_village
from tests.factories.payments import (
    NOW,
    TODAY,
    bring_to,
    give_account,
    make_batch,
    make_payee,
)

pytestmark = pytest.mark.django_db
LIST = "subsidies:account-list"
WRONG, SYSTEM = "账号不存在", "银行系统超时"


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


def failing(people, village, reasons=(WRONG,), code="CN-RURAL", **values):
    for number in range(len(reasons)):
        make_payee(village, f"陶{number}", code=code)
    batch = make_batch(people["clerk"], village.parent, code, **values)
    batch = bring_to("sent", batch, **people)
    keys = batch.lines.order_by("line_no").values_list("pk", flat=True)
    reasons = [*reasons, *[WRONG] * (len(keys) - len(reasons))]
    post_answers(
        by=people["clerk"], batch=batch, paid={}, failed=dict(zip(keys, reasons, strict=True)),
        today=TODAY, now=NOW,
    )  # fmt: skip
    batch.refresh_from_db()
    return batch


def text(response):
    return response.content.decode()


def labels(user):
    return {todo.label: todo.count for todo in todos_for(user, TODAY)}


# Paid again


def test_clerk_ticks_who_is_paid_again(people, clerk, village, sign_in):
    batch = failing(people, village, [WRONG, SYSTEM])
    url = reverse("subsidies:reissue-create", args=[batch.pk])
    client = sign_in(clerk)
    page = text(client.get(url))
    assert "账号还没有更正" in page
    assert "2笔，其中可以发放1笔、960.00元" in page
    wrong, ready = batch.lines.order_by("line_no")
    assert f'value="{ready.pk}" checked' in page
    assert f'value="{wrong.pk}" checked' not in page
    assert wrong.account not in page
    assert "请至少勾选一笔" in text(client.post(url))
    answer = client.post(url, {"line": [ready.pk]})
    child = PaymentBatch.objects.get(kind="reissue")
    assert answer["Location"] == child.get_absolute_url()
    assert child.lines.get().reissue_of == ready
    again = text(client.post(url, {"line": [ready.pk]}))
    assert "有1笔刚被补发" in again


def test_check_list_is_empty_where_nothing_failed(people, clerk, village, sign_in):
    make_payee(village)
    batch = make_batch(clerk, village.parent)
    url = reverse("subsidies:reissue-create", args=[batch.pk])
    assert "没有可以补发的" in text(sign_in(clerk).get(url))


def test_check_list_does_not_ask_person_by_person(
    people, clerk, village, sign_in, assert_query_count_does_not_grow
):
    batches = [failing(people, village, [WRONG])]
    client = sign_in(clerk)

    def more():
        batches.append(failing(people, village, [WRONG] * 5, is_on_already=True))

    def opened():
        client.get(reverse("subsidies:reissue-create", args=[batches[-1].pk]))

    opened()
    assert_query_count_does_not_grow(opened, more)


# The village


def test_village_is_told_and_sees_neither_policy_nor_sum(
    people, clerk, propagandist, other_propagandist, village, sign_in
):
    batch = failing(people, village)
    line = batch.lines.get()
    village_page = sign_in(propagandist)
    assert village_page.get(reverse(LIST)).context["list"].total == 0
    assert "发放账户待更正" not in labels(propagandist)
    assert labels(clerk)["失败账户待发给村里更正"] == 1

    client, url = sign_in(clerk), reverse("subsidies:account-tell", args=[batch.pk])
    assert WRONG in text(client.get(url))
    assert "已把1笔发给村里" in text(client.post(url, follow=True))
    assert "没有要发给村里的" in text(client.post(url, follow=True))

    assert labels(propagandist)["发放账户待更正"] == 1
    assert "失败账户待发给村里更正" not in labels(clerk)
    page = text(village_page.get(reverse(LIST)))
    assert line.name in page
    assert WRONG in page
    assert line.account not in page
    for hidden in ("960", "奖励扶助", "CN-RURAL", line.batch.number):
        assert hidden not in page
    assert reverse("households:resident-propose", args=[line.beneficiary_id, "edit"]) in page
    assert sign_in(other_propagandist).get(reverse(LIST)).context["list"].total == 0


def test_reason_that_does_not_tell_is_sent_only_where_ticked(
    people, clerk, propagandist, village, sign_in
):
    batch = failing(people, village, [WRONG, "XYZ不明代码E99", SYSTEM])
    wrong, odd, system = batch.lines.order_by("line_no")
    client, url = sign_in(clerk), reverse("subsidies:account-tell", args=[batch.pk])
    page = text(client.get(url))
    assert "原因看不出是账户问题" in page
    assert "2笔，勾选的才发给村里" in page
    assert "发给村里（1笔，加上勾选的）" in page
    for line in (odd, system):
        assert f'name="line" value="{line.pk}">' in page  # not ticked
    assert f'value="{wrong.pk}"' not in page
    assert "已把2笔发给村里" in text(client.post(url, {"line": [odd.pk]}, follow=True))
    told = batch.lines.filter(village_told_at__isnull=False).order_by("line_no")
    assert list(told) == [wrong, odd]
    shown = text(sign_in(propagandist).get(reverse(LIST)))
    assert "XYZ不明代码E99" in shown
    assert SYSTEM not in shown
    left = text(client.get(url))
    assert "发给村里（只发勾选的）" in left
    assert odd.name not in left
    assert "没有要发给村里的" in text(client.post(url, follow=True))
    assert "没有要发给村里的" in text(client.post(url, {"line": [odd.pk, 10**9]}, follow=True))
    give_account(odd.beneficiary, "6228480000000000018")
    assert "XYZ不明代码E99" not in text(sign_in(propagandist).get(reverse(LIST)))


def test_account_that_was_proposed_waits_and_that_was_mended_leaves(
    people, clerk, propagandist, village, sign_in
):
    batch = failing(people, village)
    tell_village(by=clerk, batch=batch, now=NOW)
    person = batch.lines.get().beneficiary
    client = sign_in(propagandist)
    url = reverse("households:resident-propose", args=[person.pk, "edit"])
    assert client.get(url).status_code == 200
    client.post(url, {"bank": "农业银行", "bank_account": "6228480000000000018"})
    assert ChangeRequest.objects.get().resident == person
    assert "已提出，待受理" in text(client.get(reverse(LIST)))
    give_account(person, "6228480000000000018")
    assert client.get(reverse(LIST)).context["list"].total == 0
    assert "发放账户待更正" not in labels(propagandist)


def test_line_leaves_the_list_once_it_is_being_paid_again(people, clerk, village, sign_in):
    batch = failing(people, village)
    client = sign_in(clerk)
    child = create_reissue(by=clerk, batch=batch, today=TODAY, now=NOW)
    assert client.get(reverse(LIST)).context["list"].total == 1  # held: not mended
    child.lines.update(state="planned")
    assert client.get(reverse(LIST)).context["list"].total == 0


def test_village_does_not_learn_of_a_sensitive_policy(
    people, clerk, propagandist, village, sign_in
):
    batch = failing(people, village, code="CN-SPECIAL-DEATH")
    tell_village(by=clerk, batch=batch, now=NOW)
    assert sign_in(propagandist).get(reverse(LIST)).context["list"].total == 0
    assert sign_in(clerk).get(reverse(LIST)).context["list"].total == 1


def test_many_are_told_from_the_list(people, clerk, village, sign_in):
    batch = failing(people, village, [WRONG, WRONG])
    url = reverse("lists:act-confirm", args=[KEY, "tell"])
    picked = ",".join(str(pk) for pk in batch.lines.values_list("pk", flat=True))
    sign_in(clerk).post(url, {"picked": picked, "step": "do"})
    assert batch.lines.filter(village_told_at__isnull=False).count() == 2


def test_who_failed_in_two_batches_stands_there_once(people, clerk, village, sign_in):
    first = failing(people, village)
    second = failing(people, village, [], is_on_already=True)
    rows = sign_in(clerk).get(reverse(LIST)).context["list"]
    assert rows.total == 1
    url = reverse("subsidies:reissue-create", args=[first.pk])
    assert "没有可以补发的" in text(sign_in(clerk).get(url))
    assert create_reissue(by=clerk, batch=second, today=TODAY, now=NOW).lines.count() == 1


def test_list_of_accounts_asks_once(
    people, clerk, village, sign_in, assert_query_count_does_not_grow
):
    failing(people, village)
    client = sign_in(clerk)
    client.get(reverse("subsidies:account-list"))
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("subsidies:account-list")),
        lambda: failing(people, village, [WRONG] * 5, is_on_already=True),
    )
