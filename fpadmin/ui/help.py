"""The texts of 帮助中心, each shown to those whose work it is."""

from dataclasses import dataclass

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class Topic:
    """One question and its answer. Without a permission it is open before sign-in."""

    key: str
    title: str
    steps: tuple[str, ...]
    permission: Permission | None = None


TOPICS = (
    Topic(
        "sign-in",
        "登录不了怎么办",
        (
            "检查用户名和密码，注意大小写和输入法；连续输错会锁定一段时间，到时自动解开。",
            "忘记密码请联系本级系统管理员重置，首次登录后要改成自己的密码。",
            "一人一个账号，不要与他人共用：登录、查看和导出都有记录。",
        ),
    ),
    Topic(
        "timeout",
        "为什么要重新登录",
        (
            "离开电脑一段时间后系统会自动退出，防止他人使用您的账号。",
            "重新登录后会回到原来的页面；没有保存的内容需要重新填写。",
        ),
    ),
    Topic(
        "find",
        "怎样查找居民或家庭",
        (
            "在页面上方的查找框输入姓名、拼音首字母（如 zxm）或完整的身份证号。",
            "在列表页用筛选条件缩小范围，点“查询”；点条件旁的叉去掉一个条件，点“重置”全部去掉。",
            "点表头可以排序；点姓名打开详情，点户编号打开家庭。",
        ),
        Permission.REGISTRY_VIEW,
    ),
    Topic(
        "mask",
        "为什么身份证号和电话有星号",
        (
            "为保护个人信息，号码默认遮住中间几位。",
            "确需完整号码时点号码旁的眼睛，填写用途；每次查看都有记录，一分钟后自动遮住。",
        ),
        Permission.IDENTITY_REVEAL,
    ),
    Topic(
        "register",
        "怎样登记和修改居民",
        (
            "先填公民身份号码，出生日期、性别和年龄会自动带出；没有号码的新生儿可以留空。",
            "有错误时页面上方会列出要修改的地方，点一下就跳到那一项。",
            "两个人同时修改同一条记录时，后保存的人会看到两边的内容，选定后再保存。",
        ),
        Permission.REGISTRY_EDIT,
    ),
    Topic(
        "import",
        "怎样导入Excel",
        (
            "先下载模板，按模板填写；单位自己的表格只要列名相同或相近，也可以直接上传。",
            "上传后系统先检查，不会写入；看过新增、更新和错误的行数后再确认。",
            "有错误的行可以下载回来，错误处有标记和改法，改好后只需上传这些行。",
            "身份证号列请设为文本格式，否则Excel会把末几位变成0。",
        ),
        Permission.IMPORT,
    ),
    Topic(
        "returns",
        "报表中的数字从哪里来",
        (
            "每个数字都由登记的居民、家庭和人口变动统计得出，点数字可以看到名单。",
            "没有分母的比率显示“—”，零显示0；性别比总是与人数和95%区间一起显示。",
            "锁定后的报表不会改变，迟报的记录在“补报”一栏。",
        ),
        Permission.RETURNS_VIEW,
    ),
    Topic(
        "jobs",
        "后台任务要等多久",
        (
            "耗时的工作在后台进行，页面可以关掉；在“任务”里看进度，完成后下载结果。",
            "失败的任务会写明原因，改正后点“重试”。",
        ),
        Permission.JOBS_VIEW,
    ),
    Topic(
        "display",
        "字太小、看不清怎么办",
        (
            "点左下角“字号”，可以选大字号、特大字号和高对比度，保存在您的账号上。",
            "也可以按住Ctrl键滚动鼠标滚轮放大页面。",
        ),
        Permission.SIGNED_IN,
    ),
    Topic(
        "keyboard",
        "怎样只用键盘操作",
        (
            "按Tab键到下一项，Shift+Tab回到上一项，空格勾选，回车打开或提交。",
            "刚打开页面时按Tab会出现“跳到主要内容”，回车可跳过菜单；Esc关闭菜单和下拉框。",
        ),
        Permission.SIGNED_IN,
    ),
)


def topics_for(user, query: str = "") -> list[Topic]:
    """The topics that concern `user` (a visitor: those of signing in) and contain `query`."""
    return [
        topic
        for topic in TOPICS
        if (topic.permission is None or (user.is_authenticated and user.may(topic.permission)))
        and query.casefold() in "".join((topic.title, *topic.steps)).casefold()
    ]
