"""The returns of the rolls, one of each policy: 目标人群汇总表, with 新增 and 退出 by reason, by village."""

from collections.abc import Sequence
from datetime import date

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import (
    Check,
    Column,
    Return,
    register_group,
    register_offering,
    register_return,
)
from fpadmin.reporting.sheets import SheetRow
from households.return_checks import each_row, sums
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.returns import payments_forms
from subsidies.returns.figures import (
    BY_KEY,
    KINDS,
    PLAIN,
    REASONS,
    SENSITIVE,
    code_of,
    group_of,
)

OFFERING = "benefits"
_HEADINGS = {f"exited_{key}": reason.label for reason, key in REASONS.items()}
_CHANGES = {"entered", "exited", *_HEADINGS}


def return_code(policy: str) -> str:
    """The code of a policy's return, such as benefit-cn-rural."""
    return f"benefit-{policy.lower()}"


def offered(region: Region, day: date) -> dict[str, tuple[int, int] | None]:
    """The returns of the policies switched on in the place or below it, with the day they are due."""
    book = policy_book(day)
    found = {}
    for code in book.on_codes_within(region.path):
        due = book.due(code, region.path, day.year)
        found[return_code(code)] = (due.month, due.day) if due else None
    return found


def load() -> None:
    """Make groups and returns known; called once, when the app is ready."""
    register_group(PLAIN)
    register_group(SENSITIVE)
    register_offering(OFFERING, offered)
    for policy in catalogue.policies().values():
        register_return(
            Return(
                return_code(policy.code),
                f"{policy.name}目标人群汇总表",
                "calendar_year",
                catalogue.WHO[policy.who] if policy.who == "family" else "人",
                (group_of(policy.code),),
                tuple(_columns(policy.code)),
                _checks_of(policy.code),
                offering=OFFERING,
            )
        )
    payments_forms.load()


def _columns(policy: str):
    for kind in KINDS:
        heading = _HEADINGS.get(kind.key, kind.name)
        if kind.key == "exited":
            heading = "退出小计"
        group = "本年变动" if kind.key in _CHANGES else "在册"
        yield Column(code_of(kind.key, policy), heading, group)


def _checks_of(policy: str):
    def balance(figures: dict) -> tuple[bool, str]:
        first, entered, exited, last = (
            figures[code_of(key, policy)]
            for key in ("carried_in", "entered", "exited", "carried_on")
        )
        text = f"年初在册{first:,}＋新增{entered:,}－退出{exited:,}＝期末结转{last:,}"
        return first + entered - exited == last, text

    def reasons(figures: dict) -> tuple[bool, str]:
        whole = figures[code_of("exited", policy)]
        parts = sum(figures[code_of(f"exited_{key}", policy)] for key in REASONS.values())
        return whole == parts, f"退出{whole:,}＝各原因合计{parts:,}"

    def checks(rows: Sequence[SheetRow]) -> list[Check]:
        return [
            each_row(rows, balance, "年初在册＋新增－退出＝期末结转"),
            each_row(rows, reasons, "退出＝各原因合计"),
            sums(rows, [code_of(key, policy) for key in BY_KEY]),
        ]

    return checks
