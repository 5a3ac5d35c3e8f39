"""The import's pages: what they say in each state, and who may see them."""

import io
import re
from urllib.parse import unquote

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from fpadmin.imports import models, runs
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from tests.conftest import TODAY
from tests.factories.accounts import make_region, make_user

from .conftest import HEADINGS, Context, person, residents
from .files import ole, sheet_xml, workbook, xls, xlsx

pytestmark = pytest.mark.django_db
WRONG = "539981198005010010"
NEW = "imports:batch-create"


@pytest.fixture
def client(sign_in, clerk):
    return sign_in(clerk)


@pytest.fixture
def post(client):
    """post(content, name) → the answer to an upload of residents."""

    def send(content=b"", name="居民.xlsx", kind="residents", on="2018-10-09"):
        data = {"kind": kind, "changed_on": on}
        if name:
            data["file"] = SimpleUploadedFile(name, content)
        return client.post(reverse(NEW), data)

    return send


def text(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def page(client, batch) -> str:
    return text(client.get(batch.get_absolute_url()))


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "", "还没有选择文件。请选择要上传的xlsx、xls或csv文件。"),
        (
            b"x",
            "居民.doc",
            "只能上传xlsx、xls或csv文件，这个文件是.doc。请在Excel或WPS中另存为xlsx后重新上传。",
        ),
        (b"PK\x03\x04" + b"x" * (1 << 20), "a.xlsx", "文件有1.0MB，超过1MB的上限。"),
        (b"", "居民.xlsx", "文件是空的（0字节）。请确认选对了文件，重新上传。"),
        (ole({"EncryptedPackage": b"x"}), "居民.xlsx", "文件设了打开密码，系统读不了。"),
        (xlsx(extra={"xl/vbaProject.bin": b"x"}), "居民.xlsx", "文件带有宏，为安全起见不能上传。"),
        (b"a\n" * 200_200, "居民.csv", "这个文件有200,200行，超过200,000行的上限。"),
        (workbook([["a"]])[:-300], "居民.xlsx", "文件已损坏，打不开。"),
        (b"\x81\xff\xff\n", "居民.csv", "看不懂文件的文字编码。csv须是UTF-8或GB18030（GBK）编码；"),
    ],
)
def test_each_cause_stands_in_the_summary_and_at_the_field(post, settings, content, name, says):
    settings.IMPORT_MAX_BYTES = 1 << 20
    answer = post(content, name)
    body = text(answer)
    assert answer.status_code == 200
    assert "<title>错误：" in body
    assert "有1处需要修改" in body
    assert body.count(says) == 2
    assert 'href="#id_file"' in body
    assert ImportBatch.objects.count() == 0


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["随便", "什么"], ["1", "2"]], "找不到“居民登记表”的表头"),
        ([["姓名", "公民身份号码", "户编号", "与户主关系"], ["a", "b", "c", "d"]], "缺少必填列"),
        ([["姓名", "姓名", "户编号", "村居代码"], ["a", "b", "c", "d"]], "出现了两次：姓名"),
    ],
)
def test_causes_that_only_reading_finds_stand_on_the_batch(client, checked, rows, says):
    batch = checked(workbook(rows))
    body = page(client, batch)
    assert says in body
    assert "没有写入任何数据" in body
    assert "重新上传" in body


def test_upload_leads_to_the_batch_and_asks_for_a_check(client, post):
    answer = post(residents(person("段光超", "1")))
    batch = ImportBatch.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == batch.get_absolute_url()
    body = page(client, batch)
    assert "正在检查：居民登记表" in body
    job = Job.objects.get()
    assert f'hx-get="{reverse("jobs:job-progress", args=[job.pk])}"' in body


def test_the_day_of_change_may_not_lie_ahead_and_keeps_what_was_typed(post):
    body = text(post(residents(person("段光超", "1")), on="2018年10月10日"))
    assert "变动日期不能晚于今天。" in body
    assert 'value="2018年10月10日"' in body


def test_only_kinds_of_ones_own_may_be_uploaded(post, client, sign_in, administrator):
    assert "您的岗位不能导入这一类工作簿" in text(post(residents(), kind="regions"))
    body = text(sign_in(administrator).get(reverse(NEW)))
    assert "行政区划" in body
    assert "居民登记表" not in body


def test_preview_shows_figures_problems_and_differences(client, committed, checked):
    old = person("段光超", "00001")
    committed(residents(old))
    batch = checked(
        residents(
            [*old[:-1], "初中"], person("马明武", "2", 公民身份号码=WRONG), person("乔翠", "3")
        )
    )
    body = page(client, batch)
    for words in (
        "导入预览：居民登记表", "还没有写入任何数据", "<strong>D3</strong>", "第3行",
        "<del>小学</del>", "<ins>初中</ins>", "先导入正确的2行", "1行退回，改好后只需上传这1行。",
        "确认导入2行", "下载标出错误的原文件", "539981********0010",
    ):  # fmt: skip
        assert words in body, words
    assert WRONG not in body
    assert f"{reverse('imports:batch-issues', args=[batch.pk])}?severity=error" in body


def test_confirm_needs_a_choice_where_rows_are_wrong(client, checked):
    batch = checked(residents(person("段光超", "1"), person("马明武", "2", 公民身份号码=WRONG)))
    url = reverse("imports:batch-confirm", args=[batch.pk])
    assert "请选择怎样导入。" in text(client.post(url))
    assert "还有1行有错误。请改好后重新上传，或者选择先导入正确的行。" in text(
        client.post(url, {"how": "all"})
    )
    batch.refresh_from_db()
    assert batch.state == "checked"
    assert client.post(url, {"how": "good"})["Location"] == batch.get_absolute_url()
    assert client.post(url, {"how": "good"}).status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.good_rows_only) == ("committing", True)
    assert Job.objects.filter(kind="import-commit").count() == 1
    assert "正在写入" in page(client, batch)


def test_a_committed_batch_reports_and_the_same_file_points_to_it(client, committed, checked):
    content = residents(person("段光超", "1"), person("马明武", "2", 公民身份号码=WRONG))
    first = committed(content, good_rows=True)
    body = page(client, first)
    assert "新增1行，更新0行，无变化0行；1行有错误，没有写入。" in body
    assert "下载只含错误行的表" in body
    second = checked(content)
    body = page(client, second)
    assert "这个文件已于" in body
    assert f"由{first.committed_by.name}导入，" in body
    first.committed_by = None  # as the demonstration loads them
    first.save(update_fields=["committed_by"])
    assert re.search(r"这个文件已于[-\d: ]+导入，", page(client, second))
    assert first.get_absolute_url() in body
    assert "没有可以写入的行" in body


def test_a_file_that_changes_nothing_says_so_and_has_no_button(client, committed, checked):
    content = residents(person("段光超", "1"))
    committed(content)
    body = page(client, checked(content))
    assert "1行都与登记资料一致，没有要写入的内容。" in body
    assert "确认导入" not in body


def test_discard_asks_first(client, checked):
    batch = checked(residents(person("段光超", "1")))
    url = reverse("imports:batch-discard", args=[batch.pk])
    assert "确认放弃" in text(client.get(url))
    batch.refresh_from_db()
    assert batch.state == "checked"
    assert client.post(url).status_code == 302
    assert "已放弃" in page(client, batch)


def test_a_failed_job_is_told_and_can_be_tried_again(client, post):
    post(residents(person("段光超", "1")))
    Job.objects.update(state=Job.State.FAILED, error="服务器磁盘空间不足。")
    batch = ImportBatch.objects.get()
    body = page(client, batch)
    assert "服务器磁盘空间不足。" in body
    assert reverse("jobs:job-retry", args=[Job.objects.get().pk]) in body


def test_check_again_starts_a_new_check(client, checked):
    batch = checked(xlsx(sheet_xml()))
    assert client.post(reverse("imports:batch-check", args=[batch.pk])).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "checking"
    runs.check(Context(batch.uploaded_by, batch=batch))
    batch.refresh_from_db()
    assert batch.state == "unreadable"


def test_returned_file_is_a_download_named_after_the_offices_own(client, checked):
    batch = checked(residents(person("马明武", "2", 公民身份号码=WRONG)), "禄脿居民.xlsx")
    url = reverse("imports:batch-returned", args=[batch.pk])
    for rows, ending in (("all", "标出错误"), ("wrong", "错误行")):
        answer = client.post(url, {"rows": rows})
        assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
        assert f"禄脿居民_{ending}.xlsx" in unquote(answer["Content-Disposition"])
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
        assert "校验位" in sheet["J2"].value
    assert client.get(url).status_code == 405


def test_returned_file_of_a_large_batch_is_a_job(client, checked, monkeypatch):
    batch = checked(residents(person("马明武", "2", 公民身份号码=WRONG)))
    monkeypatch.setattr(models, "RETURNED_AT_ONCE", 0)
    answer = client.post(reverse("imports:batch-returned", args=[batch.pk]))
    assert answer["Location"] == Job.objects.get(kind="import-returned").get_absolute_url()


def test_returned_file_after_the_purge_says_so(client, checked):
    batch = checked(residents(person("马明武", "2", 公民身份号码=WRONG)))
    ImportBatch.objects.update(file="")
    client.post(reverse("imports:batch-returned", args=[batch.pk]))
    assert "已按期限清除" in page(client, batch)


def test_batches_of_another_place_or_another_kind_are_not_there(
    client, checked, sign_in, administrator
):
    batch = checked(residents(person("段光超", "1")))
    strangers = sign_in(make_user("clerk", make_region("539981100")))
    names = ("detail", "confirm", "check", "discard", "issues", "changes", "returned")
    for who in (strangers, sign_in(administrator)):
        for name in names:
            url = reverse(f"imports:batch-{name}", args=[batch.pk])
            posted = name in ("confirm", "check", "returned")
            answer = who.post(url) if posted else who.get(url)
            assert answer.status_code == 404, name
        assert "居民.xlsx" not in text(who.get(reverse("imports:batch-list")))
    assert "居民.xlsx" in text(client.get(reverse("imports:batch-list")))


def test_regions_are_imported_by_the_administrator(sign_in, administrator):
    client = sign_in(administrator)
    content = workbook(
        [
            ["区划代码", "名称", "级别"],
            ["539981001", "禄脿街道", "乡"],
            ["539981001205", "新村", "村"],
        ]
    )
    client.post(
        reverse(NEW),
        {
            "kind": "regions",
            "changed_on": "2018-10-09",
            "file": SimpleUploadedFile("区划.xlsx", content),
        },
    )
    batch = ImportBatch.objects.get()
    runs.check(Context(administrator, batch=batch))
    assert "确认导入2行" in page(client, batch)


def test_a_kind_that_edits_no_records_asks_for_no_day(client, post):
    asked, blanks = 'name="changed_on"', "空白单元格"
    other = text(client.get(f"{reverse(NEW)}?kind=residents"))
    assert (asked in other, blanks in other) == (True, True)
    shown = text(client.get(f"{reverse(NEW)}?kind=bank_returns"))
    assert (asked in shown, blanks in shown) == (False, False)
    file = SimpleUploadedFile("居民.xlsx", workbook([["a"]]))
    # Another kind was chosen on the page that came without the day.
    refused = client.post(reverse(NEW), {"kind": "residents", "file": file})
    assert "请填写变动日期" in text(refused)
    assert asked in text(refused)
    answer = post(workbook([["批次号", "序号"]]), "回盘.xlsx", kind="bank_returns", on="")
    batch = ImportBatch.objects.get()
    assert (answer.status_code, str(batch.changed_on)) == (302, "2018-10-09")
    assert "变动日期" not in page(client, batch)


def test_written_batch_leads_to_where_its_kind_goes_on(client, clerk, township):
    def written(kind, state="committed"):
        batch = ImportBatch.objects.create(
            kind=kind, office=township, file_name="a.xlsx", sha256="", size=1, uploaded_by=clerk,
            changed_on=TODAY, state=state, committed_by=clerk, committed_at=timezone.now(),
        )  # fmt: skip
        return page(client, batch)

    for name, label in (("exception-list", "回盘异常"), ("batch-list", "发放批次")):
        link = f'<a href="{reverse(f"subsidies:{name}")}">{label}</a>'
        assert link in written("bank_returns")
        assert link not in written("bank_returns", "checked")
    assert "接着办理" not in written("residents")


@pytest.mark.parametrize("name", ["imports:batch-list", "imports:template-list"])
def test_lists_cost_the_same_for_many(name, client, checked, assert_query_count_does_not_grow):
    checked(residents(person("段光超", "1")))

    def grow():
        for i in range(5):
            checked(residents(person(f"居民{i}", str(i))))

    assert_query_count_does_not_grow(lambda: client.get(reverse(name)), grow)


def test_a_preview_costs_the_same_for_many_problems(
    client, checked, assert_query_count_does_not_grow
):
    batch = checked(residents(person("马明武", "2", 公民身份号码=WRONG)))

    def grow():
        issue = batch.issues.first()
        for row in range(3, 40):
            issue.pk, issue.row = None, row
            issue.save()

    for url in (batch.get_absolute_url(), reverse("imports:batch-issues", args=[batch.pk])):
        assert_query_count_does_not_grow(lambda url=url: client.get(url), grow)


def test_lists_of_problems_and_changes_show_what_the_check_found(client, committed, checked):
    old = person("段光超", "00001")
    committed(residents(old))
    batch = checked(residents([*old[:-1], "初中"], person("马明武", "2", 公民身份号码=WRONG)))
    issues = text(
        client.get(reverse("imports:batch-issues", args=[batch.pk]), {"severity": "error"})
    )
    assert "<strong>D3</strong>" in issues
    assert "校验位" in issues
    warnings = client.get(reverse("imports:batch-issues", args=[batch.pk]), {"severity": "warning"})
    assert "<strong>D3</strong>" not in text(warnings)
    changes = text(client.get(reverse("imports:batch-changes", args=[batch.pk])))
    assert "<ins>初中</ins>" in changes


def test_template_is_a_download_and_an_unknown_one_is_not_there(client):
    answer = client.get(reverse("imports:template-download", args=["residents"]))
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "居民登记表"
    assert client.get(reverse("imports:template-download", args=["nothing"])).status_code == 404


def test_a_hostile_text_of_a_cell_is_only_text_on_the_page(client, checked):
    batch = checked(
        residents(person("<img src=x onerror=alert(1)>", "1", 与户主关系="<script>1</script>"))
    )
    body = page(client, batch)
    assert "<script>1" not in body
    assert "&lt;script&gt;1" in body


def test_an_old_workbook_goes_all_the_way(client, post):
    post(xls([HEADINGS, person("段光超", "1")]), "居民.xls")
    batch = ImportBatch.objects.get()
    runs.check(Context(batch.uploaded_by, batch=batch))
    assert "确认导入1行" in page(client, batch)
