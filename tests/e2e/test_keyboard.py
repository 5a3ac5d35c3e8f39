"""A clerk who never touches the mouse: search, household, three people, each checked and saved."""

from dataclasses import dataclass
from datetime import date

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from households.models import Resident
from tests.factories.accounts import PASSWORD
from tests.factories.households import make_household, make_id_number, make_resident

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
# The focused element: its name, whether it stands on the screen uncovered, and how far the ring's
# colour differs from what is behind it (WCAG's contrast, 3 is enough).
FOCUS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const light = ([r, g, b]) => [r, g, b]
        .map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = start => {
        for (let at = start; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const contrast = (one, other) => {
        const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
        return (a + 0.05) / (b + 0.05);
    };
    const style = getComputedStyle(element);
    const inside = parseFloat(style.outlineOffset) <= -2;
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
        ? contrast(parse(style.outlineColor), behind(inside ? element : element.parentElement)) : 0;
    const box = element.getBoundingClientRect();
    const x = Math.max(0, box.left) + Math.min(box.width, innerWidth) / 2;
    const y = box.top + Math.min(box.height, innerHeight) / 2;
    const top = document.elementFromPoint(x, y);
    return {
        name: element.name || element.id || element.textContent.trim(),
        ring: Math.round(ring * 10) / 10,
        shown: Boolean(top) && (element.contains(top) || top.contains(element)),
    };
}"""
ENOUGH = 3.0


@dataclass
class Person:
    name: str
    sex: str
    born: date
    relation: str
    marital: str

    @property
    def number(self) -> str:
        return "" if self.relation in ("子", "女") else self._number

    def __post_init__(self):
        self._number = make_id_number(self.born, self.sex)


FAMILY = [
    Person("段𠮷祥", "男", date(1983, 6, 1), "户主", "初婚"),
    Person("李秀英", "女", date(1985, 4, 8), "配偶", "初婚"),
    Person("段小满", "女", date(2018, 9, 3), "女", "未婚"),
]


def focused(page: Page) -> dict:
    """What has the focus; it must be seen wherever the Tab key goes."""
    at = page.evaluate(FOCUS)
    assert at is not None, "the focus is nowhere"
    assert at["shown"], f"covered: {at}"
    assert at["ring"] >= ENOUGH, f"hard to see: {at}"
    return at


def tab_to(page: Page, name: str) -> list[str]:
    """Tab on until the element has the focus; the stops on the way."""
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(focused(page)["name"])
        if stops[-1] == name:
            return stops
    raise AssertionError(f"Tab never came to {name}: {stops}")


def choose(page: Page, name: str, label: str) -> None:
    """A drop-down: type the beginning of the choice, as a practised hand does, or go down to it."""
    tab_to(page, name)
    chosen = "() => document.activeElement.selectedOptions[0].textContent.trim()"
    for _ in range(40):
        if page.evaluate(chosen) == label:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{name} does not offer {label}")


def title(page: Page, text: str) -> None:
    """The page has come, with its styles."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)
    page.wait_for_load_state()


def type_person(page: Page, person: Person) -> None:
    """From the first field to the button that leads to the check page."""
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.insert_text(person.name)
    if person.number:
        tab_to(page, "id_number")
        page.keyboard.type(person.number)
        page.keyboard.press("Tab")
        expect(page.get_by_label("出生日期")).to_have_value(person.born.isoformat())
    else:
        tab_to(page, "birth_date")
        page.keyboard.type(f"{person.born:%Y%m%d}")
        tab_to(page, "sex")
        page.keyboard.press("ArrowRight" if person.sex == "女" else "Space")
    for name, value in (("relation", person.relation), ("hukou", "农业"), ("residence", "常住")):
        choose(page, name, value)
    choose(page, "marital", person.marital)
    tab_to(page, "step")
    page.keyboard.press("Enter")


def test_clerk_registers_a_family_of_three_by_keyboard_alone(open_browser, clerk, village):
    page = open_browser()
    page.goto(reverse("accounts:sign-in"))
    tab_to(page, "username")
    page.keyboard.type(clerk.username)
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    title(page, "今日工作")

    # The search in the top bar knows nobody: the way on is the household.
    tab_to(page, "q")
    page.keyboard.insert_text(FAMILY[0].name)
    page.keyboard.press("Enter")
    title(page, "居民")
    for link, heading in (("家庭", "家庭"), ("登记家庭", "登记家庭")):
        tab_to(page, link)
        page.keyboard.press("Enter")
        title(page, heading)
    expect(page.locator("[name=village]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    tab_to(page, "number")
    page.keyboard.type("00021")
    tab_to(page, "address")
    page.keyboard.insert_text("庄科二组")
    page.keyboard.press("Enter")  # in a field: the same as the button
    title(page, "00021")

    for person in FAMILY:
        tab_to(page, "添加成员")
        page.keyboard.press("Enter")
        title(page, "登记居民")
        type_person(page, person)
        title(page, "核对后登记")
        tab_to(page, "step")
        page.keyboard.press("Enter")
        title(page, person.name)
        tab_to(page, "户编号00021")
        page.keyboard.press("Enter")
        title(page, "段𠮷祥户")

    rows = page.locator("main tbody tr")
    for person in FAMILY:
        expect(rows.filter(has_text=person.name)).to_have_count(1)
    family = Resident.objects.order_by("pk")
    assert [(r.name, r.sex, r.birth_date, r.relation) for r in family] == [
        (p.name, p.sex, p.born, p.relation) for p in FAMILY
    ]


@pytest.fixture
def head(village):
    return make_resident(make_household(village, "00016"), "段光超", birth_date=date(1983, 6, 1))


def test_tab_walks_a_form_in_its_order_and_a_refusal_leads_to_the_fields(sign_in_as, clerk, head):
    page = sign_in_as(clerk)
    page.goto(reverse("households:resident-create") + f"?household={head.household_id}")
    expect(page.locator("[name=name]")).to_be_focused()
    order = page.evaluate(
        """() => [...document.querySelectorAll("form[data-fp-leave] input:not([type=hidden]), "
            + "form[data-fp-leave] select")].map(field => field.name)"""
    )
    expected = list(dict.fromkeys(order))[1:]
    walked = tab_to(page, "step")[:-1]
    assert list(dict.fromkeys(walked)) == expected
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("form[data-fp-leave] .fp-form > *")]
            .map(part => { const box = part.getBoundingClientRect(); return [box.top, box.left]; })"""
    )
    assert boxes == sorted(boxes, key=lambda box: (round(box[0]), box[1]))  # as one reads

    page.keyboard.press("Enter")
    summary = page.get_by_role("alert").filter(has_text="处需要修改")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[name=name]")).to_be_focused()


def test_skip_link_comes_first_and_leads_past_the_menu(sign_in_as, clerk, head):
    page = sign_in_as(clerk)
    page.goto("/registry/residents/")
    page.keyboard.press("Tab")
    assert focused(page)["name"] == "跳到主要内容"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")


def test_escape_closes_what_opened_and_goes_back_to_its_opener(sign_in_as, clerk, head):
    page = sign_in_as(clerk)
    page.goto(reverse("households:resident-detail", args=[head.pk]))
    opener = page.get_by_label("显示完整公民身份号码")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("用途", exact=True).first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("用途", exact=True).first).to_be_hidden()
    expect(opener).to_be_focused()
