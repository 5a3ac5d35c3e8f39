"""Samples for the component gallery, which shows every component once."""

from datetime import date
from types import SimpleNamespace as Sample

from django import forms

from fpadmin.ui.menu import Figure


class SampleForm(forms.Form):
    """One field of each kind; bound to wrong input, so that the errors show."""

    name = forms.CharField(label="姓名")
    died_on = forms.DateField(label="死亡日期", help_text="可写20180630或2018年6月30日")
    ethnicity = forms.ChoiceField(label="民族", choices=[("汉", "汉族"), ("彝", "彝族")])
    sex = forms.ChoiceField(
        label="性别", choices=[("男", "男"), ("女", "女")], widget=forms.RadioSelect
    )
    phone = forms.CharField(label="联系电话", required=False)
    confirmed = forms.BooleanField(label="已对照证件核对", required=False)
    note = forms.CharField(label="备注", required=False, widget=forms.Textarea({"rows": 2}))
    way = forms.ChoiceField(
        label="怎样导入",
        choices=[
            ("all", "全部正确后再导入。改好14行后重新上传，本次不写入。"),
            ("good", "先导入正确的15,213行。14行退回，改好后只需上传这14行。"),
        ],
        widget=forms.RadioSelect,
    )


def samples() -> dict:
    """What the gallery page shows."""
    return {
        "form": SampleForm(
            {"name": "阿卜杜热合曼·买买提", "died_on": "1958-02-30", "sex": "女", "way": "good"}
        ),
        "figures": [
            Figure("已逾期", 2, "#", "exclamation-octagon-fill", bad=True),
            Figure("今天到期", 4, "#", "calendar-event"),
            Figure("常住人口", 15142, "#", unit="人"),
            Figure("性别比", None),
        ],
        "states": [
            ("ok", "已接收"), ("run", "已上报"), ("wait", "未报"), ("warn", "明天到期"),
            ("bad", "逾期1天"), ("off", "不符合"), ("lock", "已锁定"),
        ],
        "attributes": ["独生子女证", "低保"],
        "note_kinds": [
            ("", "样本量不足以判断，不预警。"),
            ("ok", "已保存，编号BD-2018-0421。下一步：打印回执。"),
            ("warn", "3条提示，可以导入，请先看一遍。"),
            ("bad", "没有保存：罗晓梅09:38改过这条记录。"),
        ],
        "steps": [
            Sample(label="草稿", note="罗晓梅 09-10", state="done"),
            Sample(label="核对", note="普光华", state="now"),
            Sample(label="批准", note="", state=""),
        ],
        "coverage": [
            Sample(
                label="65岁及以上签约", url="#", done=1855, whole=2581, percent=71.87, goal=70,
                gap="",
            ),
            Sample(
                label="奖扶见面核实", url="#", done=512, whole=691, percent=74.10, goal=None,
                gap="差179人",
            ),
            Sample(
                label="本月新增", url="", done=0, whole=0, percent=None, goal=None, gap=""
            ),
        ],
        "events": [
            Sample(
                day=date(2018, 9, 12), title="见面核对，信息无变化", text="", by="龚慧云",
                strong=False,
            ),
            Sample(
                day=date(2018, 5, 29), title="出生：次女段敏丽", text="6月4日登记",
                by="罗晓梅", strong=True,
            ),
        ],
        "chips": [
            Sample(label="村（社区）", text="庄科村", url="?"),
            Sample(label="年龄", text="60至64", url="?"),
        ],
    }  # fmt: skip
