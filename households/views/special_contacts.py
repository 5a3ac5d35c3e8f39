"""Contacts of one family: named, handed over, ended; and the card that tells the family who they are."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import LISTS, Selection
from fpadmin.ui.lists import list_url
from households import services
from households.forms.special_contacts import EndForm, HandOverForm, NameForm
from households.models import FamilyContact, SpecialFamily
from households.services.special_staffing import record_cards
from households.special import archive_list, cards
from households.special.archive_list import parent_names


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_contact_name(request, pk):
    """A further contact of a family."""
    family = _family(request, pk)

    def save(values):
        services.name_contact(by=request.user, family=family, today=dates.today(), **values)
        return f"{values['person'].name}已是这一户的联系人。"

    return _act(request, family, NameForm, save, title="安排联系人", label="保存")


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_contact_hand_over(request, pk):
    """One contact's term goes to somebody else on a day."""
    term = _term(request, pk)

    def save(values):
        services.hand_over(by=request.user, term=term, today=dates.today(), **values)
        return f"已由{term.person.name}交接给{values['person'].name}。"

    return _act(
        request, term.family, HandOverForm, save, title="交接联系人", label="交接", term=term
    )


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def special_contact_end(request, pk):
    """One contact's term ends without a successor."""
    term = _term(request, pk)

    def save(values):
        services.end_contact(by=request.user, term=term, today=dates.today(), **values)
        return f"{term.person.name}已不再是这一户的联系人。"

    return _act(
        request, term.family, EndForm, save, title="结束联系人", label="结束", term=term, stop=True
    )


@requires(Permission.SPECIAL_VIEW)
@require_safe
def special_contact_card(request, pk):
    """联系知情卡 of one family. The telephone numbers are meant for it; printing is recorded."""
    family = _family(request, pk)
    return _cards(request, [family], back=family.get_absolute_url())


@requires(Permission.SPECIAL_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
def special_contact_cards(request):
    """The cards of the ticked families, or of all that the list shows: two to a page."""
    spec, selection = LISTS[archive_list.KEY], Selection.of(request)
    back = list_url(spec, selection.asked)
    if request.method == "POST" and not selection:
        messages.warning(request, "还没有选中家庭。请先勾选，再点“打印联系知情卡”。")
        return redirect(back)
    if not selection:
        selection = Selection(selection.asked, is_all=True)
    chosen = selection.rows(spec).order_by().values("pk")
    families = list(
        _families(request).filter(pk__in=chosen, closed_on__isnull=True)[: cards.MOST + 1]
    )
    if len(families) > cards.MOST:
        messages.warning(request, f"一次最多打印{cards.MOST}户，请缩小条件。")
        return redirect(back)
    return _cards(request, families, back=back)


def _cards(request, families: list[SpecialFamily], *, back: str):
    made = cards.cards_of(request.user, families, dates.today())
    record_cards(by=request.user, families=families)
    return render(
        request,
        "households/special_contact_card.html",
        {
            "title": "联系知情卡",
            "sheets": cards.sheets_of(made),
            "cards": made,
            "count": len(made),
            "unit": "户",
            "layout": "A4竖向，每页两张，沿虚线裁开",
            "ask_for": cards.ASK_FOR,
            "day": dates.today(),
            "now": timezone.now(),
            "back": back,
        },
    )


def _act(request, family: SpecialFamily, form_class, save, **context):
    """A form about the family's contacts; what the service refuses stands on it."""
    posted = request.POST if request.method == "POST" else None
    form = form_class(posted, user=request.user, family=family, today=dates.today())
    if posted is not None and form.is_valid():
        try:
            said = save(form.cleaned_data)
        except RuleViolation as violation:
            _refuse(form, violation)
        else:
            messages.success(request, said)
            return redirect(family)
    return render(
        request,
        "households/special_contact_form.html",
        {"form": form, "family": family, **context},
    )


def _refuse(form, violation: RuleViolation) -> None:
    """A successor's first day is the day of the hand-over on this form."""
    if violation.field == "started_on" and "day" in form.fields:
        violation.field = "day"
    refuse(form, violation)


def _families(request):
    return (
        SpecialFamily.objects.visible_to(request.user)
        .select_related("household__village__parent")
        .annotate(parent_names=parent_names())
    )


def _family(request, pk) -> SpecialFamily:
    return get_object_or_404(_families(request), pk=pk)


def _term(request, pk) -> FamilyContact:
    terms = FamilyContact.objects.visible_to(request.user).select_related("person", "family")
    term = get_object_or_404(terms, pk=pk)
    term.family = _family(request, term.family_id)
    return term
