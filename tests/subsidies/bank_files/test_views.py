"""Pages: layouts set, a file made and followed, fetched under a password that is shown once."""

import hashlib
import io
import re
from datetime import timedelta

import openpyxl
import pytest
import pyzipper
from django.urls import reverse
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.jobs.models import Job
from subsidies.bank_files import handing_out
from subsidies.bank_files.layouts import SHIPPED
from subsidies.forms.bank_layouts import LayoutForm
from subsidies.models import BankFile, BankLayout
from subsidies.services import bank_layouts, payments
from tests.factories.accounts import PASSWORD
from tests.factories.payments import NOW, TODAY, second_clerk

pytestmark = pytest.mark.django_db
OWN = {"password": PASSWORD}
LIST, CREATE = "subsidies:layout-list", "subsidies:layout-create"


def posted(key="xlsx", **changed) -> dict:
    shown = LayoutForm.initial_from(SHIPPED[key]) | changed
    return {name: value for name, value in shown.items() if value is not False}


def make_url(batch):
    return reverse("subsidies:bank-file-make", args=[batch.pk])


def file_url(batch):
    return reverse("subsidies:bank-file-download", args=[batch.pk])


# Layouts


def test_layouts_are_listed_without_a_query_each(
    sign_in, clerk, township, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    add = bank_layouts.add_layout
    add(by=clerk, region=township, layout=SHIPPED["xlsx"])

    def grow():
        add(by=clerk, region=township, layout=SHIPPED["text"])
        add(by=clerk, region=township, layout=SHIPPED["text-18030"])

    assert_query_count_does_not_grow(lambda: client.get(reverse("subsidies:layout-list")), grow)
    page = client.get(reverse(LIST)).content.decode()
    assert "文本，GBK，竖线分隔" in page
    assert "批次号、序号、户名、账号、金额" in page


def test_layout_is_added_by_the_form(sign_in, clerk, township):
    client = sign_in(clerk)
    page = client.get(reverse(CREATE), {"from": "text"})
    assert "陶某田|960.00|奖励扶助" in page.content.decode()
    answer = client.post(reverse(CREATE), posted("text", name="信用社"))
    assert answer.status_code == 302
    row = BankLayout.objects.get()
    assert (row.region, row.name, row.separator, row.columns[0]) == (
        township, "信用社", "|", {"field": "line_no", "heading": "序号"},
    )  # fmt: skip


def test_county_adds_a_layout_for_all_its_offices(sign_in, county_user, county):
    sign_in(county_user).post(reverse(CREATE), posted(name="全县"))
    assert BankLayout.objects.get().region == county


def test_preview_and_moving_a_column_save_nothing(sign_in, clerk):
    client = sign_in(clerk)
    page = client.post(reverse(CREATE), posted("text", name="信用社", step="preview"))
    assert "1|6229000000000000011|陶某田|960.00|奖励扶助" in page.content.decode()
    page = client.post(reverse(CREATE), posted("text", name="信用社", step="down-0"))
    assert "6229000000000000011|1|陶某田|960.00|奖励扶助" in page.content.decode()
    page = client.post(reverse(CREATE), posted("text", name="信用社", step="up-0"))
    assert "1|6229000000000000011|陶某田" in page.content.decode()
    assert not BankLayout.objects.exists()


def test_fault_is_shown_at_its_column(sign_in, clerk):
    page = sign_in(clerk).post(
        reverse(CREATE), posted(name="信用社", field_1="", heading_1="", field_7="name")
    )
    assert "“户名”已经有一列" in page.context["form"].errors["field_7"][0]


def test_tab_is_kept_as_separator(sign_in, clerk):
    sign_in(clerk).post(reverse(CREATE), posted("text", name="信用社", separator="tab"))
    row = BankLayout.objects.get()
    assert row.separator == "\t"
    page = sign_in(clerk).get(reverse("subsidies:layout-edit", args=[row.pk]))
    assert page.context["form"]["separator"].value() == "tab"


def test_second_editor_is_shown_both(sign_in, clerk, township):
    row = bank_layouts.add_layout(by=clerk, region=township, layout=SHIPPED["xlsx"])
    url = reverse("subsidies:layout-edit", args=[row.pk])
    client = sign_in(clerk)
    assert client.post(url, posted(name="甲", row_version=0)).status_code == 302
    page = client.post(url, posted(name="乙", row_version=0))
    assert page.status_code == 409
    row.refresh_from_db()
    assert (row.name, row.row_version) == ("甲", 1)


def test_layout_of_the_county_is_seen_and_not_changed_by_the_office(
    sign_in, clerk, county_user, county, other_clerk, other_township
):
    row = bank_layouts.add_layout(by=county_user, region=county, layout=SHIPPED["xlsx"])
    other = bank_layouts.add_layout(by=other_clerk, region=other_township, layout=SHIPPED["xlsx"])
    client = sign_in(clerk)
    assert client.get(reverse("subsidies:layout-edit", args=[row.pk])).status_code == 403
    assert client.get(reverse("subsidies:layout-edit", args=[other.pk])).status_code == 404


# Made


def test_file_is_made_from_the_page_and_then_shown(sign_in, clerk, approved, run_jobs_now):
    batch, client = approved(), sign_in(clerk)
    page = client.get(make_url(batch)).content.decode()
    assert "生成3笔的文件" in page
    assert "通用代发表（Excel）" in page
    answer = client.post(make_url(batch), {"layout": "shipped-text"})
    assert answer["Location"] == make_url(batch)
    assert "生成3笔的文件" not in client.get(make_url(batch)).content.decode()
    client.post(make_url(batch), {"layout": "shipped-xlsx"})
    assert Job.objects.count() == 1
    run_jobs_now()
    assert client.get(make_url(batch))["Location"] == file_url(batch)
    shown = client.get(file_url(batch)).content.decode()
    file = BankFile.objects.get()
    assert file.sha256 in shown
    assert "2,880.00" in shown
    assert "贰仟捌佰捌拾元整" in shown


def test_name_that_cannot_be_written_is_told_on_the_page(sign_in, clerk, approved):
    batch = approved("𠮷兰")
    page = sign_in(clerk).post(make_url(batch), {"layout": "shipped-text"})
    assert "第1行有GBK编码写不出的字" in page.context["form"].errors["layout"][0]
    assert not Job.objects.exists()


def test_failed_run_is_told_and_may_be_tried_again(sign_in, clerk, approved, run_jobs_now):
    batch = approved("陶有田")
    client = sign_in(clerk)
    client.post(make_url(batch), {"layout": "shipped-xlsx"})
    line = batch.lines.get()
    payments.hold_line(by=clerk, line=line, reason="死亡", now=NOW)
    run_jobs_now()
    page = client.get(make_url(batch)).content.decode()
    assert "没有可以发的明细" in page
    line.refresh_from_db()
    payments.release_line(by=clerk, line=line, now=NOW)
    client.post(make_url(batch), {"layout": "shipped-xlsx"})
    run_jobs_now()
    assert BankFile.objects.exists()


def test_only_the_office_that_pays_sees_its_file(
    sign_in, sealed_batch, reviewer, county_user, propagandist, other_clerk, auditor
):
    batch = sealed_batch()
    for user in (reviewer, county_user, propagandist, auditor):
        for url in (make_url(batch), file_url(batch)):
            assert sign_in(user).get(url).status_code == 403
            assert sign_in(user).post(url).status_code == 403
    for url in (make_url(batch), file_url(batch)):
        assert sign_in(other_clerk).get(url).status_code == 404
        assert sign_in(other_clerk).post(url).status_code == 404


# Fetched


def ticket_and_password(client, batch):
    page = client.post(file_url(batch), OWN).content.decode()
    password = re.search(r'fp-password">([^<]+)<', page)[1]
    return re.search(r'name="ticket" value="([^"]+)"', page)[1], password


def test_zip_opens_with_the_password_and_holds_file_and_totals(sign_in, clerk, sealed_batch):
    batch, client = sealed_batch(layout="text"), sign_in(clerk)
    ticket, password = ticket_and_password(client, batch)
    answer = client.post(file_url(batch), {"ticket": ticket})
    whole = answer.getvalue()
    assert f"{batch.number}.zip" in answer["Content-Disposition"]
    assert batch.lines.first().account.encode() not in whole
    with pyzipper.AESZipFile(io.BytesIO(whole)) as archive:
        assert archive.namelist() == [f"{batch.number}.txt", "合计单.xlsx"]
        with pytest.raises(RuntimeError):
            archive.read(archive.namelist()[0])
        archive.setpassword(password.encode())
        content, totals = (archive.read(name) for name in archive.namelist())
    file = BankFile.objects.get()
    assert hashlib.sha256(content).hexdigest() == file.sha256
    sheet = openpyxl.load_workbook(io.BytesIO(totals)).active
    said = dict(sheet.iter_rows(max_col=2, values_only=True))
    assert said["批次号"] == batch.number
    assert (said["笔数"], said["金额（元）"], said["金额大写"]) == (3, 2880, "贰仟捌佰捌拾元整")
    assert said["SHA-256校验码"] == file.sha256


def test_download_is_recorded_with_count_and_digest_and_listed(sign_in, clerk, sealed_batch):
    batch, client = sealed_batch(), sign_in(clerk)
    ticket, password = ticket_and_password(client, batch)
    client.post(file_url(batch), {"ticket": ticket}).getvalue()
    event = AuditEvent.objects.get(type="bank-file.downloaded")
    assert (event.actor_id, event.count) == (clerk.pk, 3)
    assert event.changes["sha256"] == BankFile.objects.get().sha256
    assert AuditEvent.objects.filter(type="bank-file.password-shown").count() == 1
    trail = "".join(str(e.changes) for e in AuditEvent.objects.all())
    assert password not in trail
    page = client.get(file_url(batch))
    assert [one.who for one in page.context["downloads"]] == [event.actor]
    assert password not in page.content.decode()


def test_password_is_shown_only_for_ones_own(sign_in, clerk, sealed_batch):
    batch, client = sealed_batch(), sign_in(clerk)
    for answer in ({}, {"password": "wrong"}):
        page = client.post(file_url(batch), answer)
        assert "ticket" not in page.context
        assert page.context["form"].errors["password"]
    assert not AuditEvent.objects.filter(type="bank-file.password-shown").exists()
    assert AuditEvent.objects.filter(type="step_up.refused").count() == 1


def test_every_download_has_a_password_of_its_own(sign_in, clerk, sealed_batch):
    batch, client = sealed_batch(), sign_in(clerk)
    assert ticket_and_password(client, batch)[1] != ticket_and_password(client, batch)[1]


def test_ticket_of_another_or_of_yesterday_opens_nothing(sign_in, clerk, sealed_batch, township):
    batch, client = sealed_batch(), sign_in(clerk)
    file = BankFile.objects.get()
    colleague = second_clerk(township)
    _, of_another = handing_out.make_ticket(colleague, file, timezone.now())
    long_ago = timezone.now() - timedelta(minutes=16)
    _, too_old = handing_out.make_ticket(clerk, file, long_ago)
    for ticket in (of_another, too_old, "made up", "1:k:bm9uZQ=="):
        page = client.post(file_url(batch), {"ticket": ticket})
        assert "密码已经过期" in page.context["fault"]
    assert not AuditEvent.objects.filter(type="bank-file.downloaded").exists()


def test_file_that_was_changed_in_the_storage_is_not_handed_out(
    sign_in, clerk, sealed_batch, settings
):
    batch, client = sealed_batch(), sign_in(clerk)
    ticket, _ = ticket_and_password(client, batch)
    path = settings.MEDIA_ROOT / BankFile.objects.get().file
    path.write_bytes(path.read_bytes()[:-1])
    page = client.post(file_url(batch), {"ticket": ticket})
    assert "不能下载" in page.context["fault"]
    path.unlink()
    assert "不能下载" in client.post(file_url(batch), {"ticket": ticket}).context["fault"]
    assert not AuditEvent.objects.filter(type="bank-file.downloaded").exists()


def test_file_of_a_void_batch_is_not_handed_out(sign_in, clerk, sealed_batch):
    batch, client = sealed_batch(), sign_in(clerk)
    ticket, _ = ticket_and_password(client, batch)
    payments.void_batch(by=clerk, batch=batch, note="换银行", today=TODAY, now=NOW)
    assert "已经作废" in client.post(file_url(batch), {"ticket": ticket}).context["fault"]
    assert "已经作废" in str(client.post(file_url(batch), OWN).context["form"].errors)
    assert "准备下载" not in client.get(file_url(batch)).content.decode()


def test_batch_without_a_file_has_none_to_fetch(sign_in, clerk, approved):
    assert sign_in(clerk).get(file_url(approved("陶有田"))).status_code == 404
