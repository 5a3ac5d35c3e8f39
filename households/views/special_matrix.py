"""联系服务: families by month, a contact's own tasks, and the way to a record."""

from datetime import date
from urllib.parse import urlencode

from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from households import selectors
from households.forms.special_matrix import FamilyForm, MatrixForm
from households.models import FollowUp, SpecialFamily
from households.special import due, matrix, my_tasks
from households.special.archive_list import parent_names
from households.special.contact_log import with_owners
from households.special.matrix_figures import figures
from households.special.rules import rule_book

NEEDS_SHOWN = 6


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_matrix(request):
    """Every family of the user by month of a year: contacted, missed, due."""
    user, today = request.user, dates.today()
    form = MatrixForm(request.GET, villages=selectors.villages_of(user, today), today=today)
    asked = form.asked()
    year = asked["year"]
    families = matrix.families_of(user, year, today)
    if asked["village"]:
        families = families.filter(household__village=asked["village"])
    families = matrix.with_gaps(families, asked["gaps"], year, today)
    sees_all = user.may(Permission.SPECIAL_LIST)
    needs = with_owners(FollowUp.objects.visible_to(user)).select_related("family__household")
    return render(
        request,
        "households/special_matrix.html",
        {
            "form": form,
            "year": year,
            "matrix": matrix.matrix(families, year, today, request.GET.get("page")),
            "figures": figures(user, year, today),
            "links": _figure_links(user, year, today) if sees_all else {},
            "rule": rule_book(today).of(user.region.path),
            "is_filtered": bool(asked["village"] or asked["gaps"]),
            "conditions": _conditions(asked),
            "previous": year - 1 if year > form.first_year(user) else None,
            "next": year + 1 if year < today.year else None,
            "needs": needs.annotate(names=parent_names("family"))[:NEEDS_SHOWN],
            "open_needs": due.open_needs(FollowUp.objects.visible_to(user)).count(),
            "today": today,
            "is_contact": due.is_contact(user),
            "may_record": user.may(Permission.SPECIAL_RECORD),
            "sees_all": sees_all,
        },
    )


@requires(Permission.SPECIAL_RECORD)
@require_safe
def special_my_tasks(request):
    """What the user owes as a contact, in rows that a thumb finds."""
    user, today = request.user, dates.today()
    tab, kind = request.GET.get("show"), request.GET.get("kind")
    tab = tab if tab in my_tasks.TABS else my_tasks.ALL
    kind = kind if kind in my_tasks.KINDS else ""
    tasks = my_tasks.tasks_of(user, today, kind)
    shown = [task for task in tasks if task.due_on <= my_tasks.until(tab, today)]
    return render(
        request,
        "households/special_my_tasks.html",
        {
            "day": today,
            "kind": kind,
            "kinds": [("", "全部事项"), *my_tasks.KINDS.items()],
            "tab": tab,
            "tabs": [
                (key, label, sum(task.due_on <= my_tasks.until(key, today) for task in tasks))
                for key, label in my_tasks.TABS.items()
            ],
            "groups": my_tasks.grouped(shown, today),
            "is_contact": due.is_contact(user),
        },
    )


@requires(Permission.SPECIAL_RECORD)
@require_safe
def special_record_start(request):
    """Which family a contact is to be recorded for."""
    families = SpecialFamily.objects.visible_to(request.user).open_on(dates.today())
    families = families.select_related("household__village").annotate(names=parent_names())
    form = FamilyForm(request.GET or None, families=families)
    if request.GET and form.is_valid():
        return redirect("households:special-record-create", form.cleaned_data["family"].pk)
    return render(request, "households/special_record_start.html", {"form": form})


def _conditions(asked: dict) -> str:
    """What another year or page keeps."""
    kept = {"village": asked["village"] and asked["village"].pk, "gaps": asked["gaps"]}
    return urlencode({name: value for name, value in kept.items() if value})


def _figure_links(user, year: int, today) -> dict[str, str]:
    """The lists behind the figures, for who may see every archive."""
    lists = {
        "families": "special_families",
        "months": "special_monthly_contacts_missed",
        "contacts": "special_contacts_missing",
        "kinds": "special_contact_kinds_missing",
        "cards": "special_medical_cards_missing",
        "visits": "special_visits",
    }
    ended = min(today, date(year, 12, 31))
    finished = due.finished_months(year, today)
    found = {}
    for key, code in lists.items():
        as_of = finished[-1][1] if key == "months" and finished else ended
        query = urlencode({"start": f"{year}-01-01", "as_of": as_of})
        found[key] = f"{reverse('reporting:figure-list', args=[code, user.region.code])}?{query}"
    return found
