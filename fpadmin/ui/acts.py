"""What may be done with many rows of a list at once: a plain registry, filled by the apps in ready().

How an app adds an act, say 批量流出 on the list of residents:

    def outflow_refusals(rows, *, by, values, day) -> dict[int, str]: ...
    def let_many_flow_out(rows, *, by, values, day) -> dict[int, str]: ...

    acts.register(
        Act(
            list_key="residents", key="outflow", label="批量流出", permission=Permission.REGISTRY_EDIT,
            form=OutflowForm, check=outflow_refusals, apply=let_many_flow_out,
            effect="登记为流出，居住状态从所选日期起改为流出",
        )
    )

The list then shows the button to whoever holds `permission`, and fpadmin.ui.views_lists leads through
three steps: the form (where there is one), a page that says what will happen to how many rows, which
cannot and why, and the result, row by row.

- `rows` is always a list of model instances, in the list's order, that the user may see; at most
  `most` of them. What was ticked and is gone or never was the user's is reported as not found before
  anything is called: a check or service never meets it.
- `form(data, *, asked, rows)` builds a bound form (data) or an empty one (None). `asked` is a
  listing.Asked: asked.user, asked.day. `values` are the form's values() where it has that method, else its
  cleaned_data; {} without a form. The form is built again at each step, so it must accept what it
  rendered. A list of choices must be limited to asked.user.
- `check` returns {pk: reason} of those that cannot, in the clerk's words; the others go on. It asks
  the database a fixed number of times, whatever the number of rows.
- `apply` is the service. It gets the rows that passed a check made again at that moment, does what it
  can in one transaction, records an event per row and returns {pk: reason} of those it had to refuse
  after all; what it doesn't name is reported as done. A RuleViolation refuses them all: nothing is
  done and its message stands on the confirm page.
- `effect` completes the sentence “将对N人……”.
- With `exceptions_only` the confirm page counts the rows that go on and names none of them: what is
  to be read there are the exceptions that `check` found.

An act that is a page of its own (an export, a print-out) names `opens`, a URL name that takes the
same POST: `listing.Selection.of(request)` reads the ticks there. Such an act has neither check nor
apply. With `takes_key` the URL has the list's key as its argument. With `for_all` the page also takes
a GET, for all rows that the list shows, and stands above the list too.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from fpadmin.accounts.permissions import Permission


@dataclass(frozen=True)
class Act:
    """One thing to do with ticked rows; see the module for the contract."""

    list_key: str
    key: str
    label: str
    permission: Permission
    apply: Callable[..., dict[int, str]] | None = None
    check: Callable[..., dict[int, str]] | None = None
    form: Callable | None = None
    effect: str = ""
    most: int = 1000
    opens: str = ""
    takes_key: bool = False
    for_all: bool = False
    exceptions_only: bool = False
    order: int = 50

    @property
    def url(self) -> str:
        """Where the ticks of the list are sent."""
        if self.opens:
            return reverse(self.opens, args=[self.list_key] if self.takes_key else [])
        return reverse("lists:act-confirm", args=[self.list_key, self.key])


ACTS: dict[tuple[str, str], Act] = {}


def register(act: Act) -> None:
    """Add an act. A key that is taken in its list raises, and an act that could do nothing."""
    if (act.list_key, act.key) in ACTS:
        raise ValueError(f"act {act.key!r} of {act.list_key!r} is registered twice")
    if bool(act.opens) == bool(act.apply):
        raise ValueError(f"act {act.key!r} must either open a page or apply something")
    ACTS[act.list_key, act.key] = act


def acts_of(list_key: str, user) -> list[Act]:
    """What `user` may do with rows of that list, in order."""
    return sorted(
        (a for a in ACTS.values() if a.list_key == list_key and user.may(a.permission)),
        key=lambda act: (act.order, act.key),
    )
