"""Cards, contracts, insurance, checks, aid, priorities and days of remembrance of one family."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import entry_form, once, render_form
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse
from households.forms.special_care import EndCardForm, EndForm, RemoveForm, ReplaceCardForm
from households.models import DoctorContract, MedicalCard, SpecialFamily
from households.services import special_care
from households.special.care import KINDS, PRIORITY, REMOVABLE, CareKind, describe
from households.special.care_rows import known_hospitals

REPLACE = "换卡"


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def care_create(request, pk, kind):
    """A new row of one of the tables that the clerk keeps."""
    return _create(request, pk, _known(KINDS, kind))


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def priority_create(request, pk):
    """A use of a priority, which the family's contacts record too."""
    return _create(request, pk, PRIORITY)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def care_edit(request, kind, pk):
    """Correct a row."""
    return _edit(request, pk, _known(KINDS, kind))


@requires(Permission.SPECIAL_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
@entry_form
def priority_edit(request, pk):
    """Correct a use of a priority."""
    return _edit(request, pk, PRIORITY)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def care_remove(request, kind, pk):
    """Remove a row that should not be, with a reason."""
    kind = _known(REMOVABLE, kind)
    row = _row(request, kind.model, pk)
    form = RemoveForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        special_care.remove_care(by=request.user, row=row, reason=form.cleaned_data["reason"])
        return _done(request, row.family, kind.section, f"已删除这条{kind.label}。")
    return _page(request, row, form, kind.label, "删除", stop=True)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def card_end(request, pk):
    """The card counts no longer."""
    card = _row(request, MedicalCard, pk)
    form = EndCardForm(_posted(request), initial={"ended_on": dates.today()})

    def save(values):
        special_care.end_card(by=request.user, card=card, today=dates.today(), **values)

    return _ending(request, card, form, save, KINDS["card"], "停用")


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def card_replace(request, pk):
    """Another card in its place, on one day."""
    card = _row(request, MedicalCard, pk)
    form = ReplaceCardForm(_posted(request), initial={"day": dates.today()})

    def save(values):
        special_care.replace_card(by=request.user, card=card, today=dates.today(), **values)

    return _ending(request, card, form, save, KINDS["card"], REPLACE)


@requires(Permission.SPECIAL_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def contract_end(request, pk):
    """The contract is in force no longer."""
    contract = _row(request, DoctorContract, pk)
    form = EndForm(_posted(request), initial={"ended_on": dates.today()})

    def save(values):
        special_care.end_contract(by=request.user, contract=contract, today=dates.today(), **values)

    return _ending(request, contract, form, save, KINDS["contract"], "终止")


def _create(request, pk, kind: CareKind):
    families = SpecialFamily.objects.visible_to(request.user).select_related("household__village")
    family = get_object_or_404(families, pk=pk)
    form = kind.form(
        _posted(request),
        user=request.user, family=family, today=dates.today(),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            special_care.record_care(
                by=request.user, model=kind.model, family=family, values=form.values(),
                today=dates.today(),
            )  # fmt: skip
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _done(request, family, kind.section, f"已登记{kind.label}。")
    return _form_page(request, family, form, kind.label, "登记")


def _edit(request, pk, kind: CareKind):
    row = _row(request, kind.model, pk)
    form = kind.form(
        _posted(request),
        user=request.user, family=row.family, today=dates.today(), row=row,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            special_care.correct_care(
                by=request.user, row=row, values=form.values(), today=dates.today()
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _done(request, row.family, kind.section, f"已更正{kind.label}。")
    return _form_page(request, row.family, form, kind.label, "更正")


def _ending(request, row, form, save, kind: CareKind, act: str):
    if request.method == "POST" and form.is_valid():
        try:
            save(form.cleaned_data)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _done(request, row.family, kind.section, f"{kind.label}：已{act}。")
    return _page(request, row, form, kind.label, act, stop=act != REPLACE)


def _posted(request):
    return request.POST if request.method == "POST" else None


def _known(kinds: dict[str, CareKind], key: str) -> CareKind:
    if key not in kinds:
        raise Http404
    return kinds[key]


def _row(request, model, pk):
    rows = model.objects.visible_to(request.user).select_related("family__household__village")
    if "resident" in {field.name for field in model._meta.fields}:
        rows = rows.select_related("family__household__village", "resident")
    return get_object_or_404(rows, pk=pk)


def _done(request, family: SpecialFamily, section: str, words: str):
    messages.success(request, words)
    return redirect(f"{family.get_absolute_url()}#{section}")


def _form_page(request, family: SpecialFamily, form, label: str, act: str):
    context = _context(family, form, label, act)
    context["hospitals"] = known_hospitals(request.user)
    return render_form(request, "households/special_care_form.html", context)


def _page(request, row, form, label: str, act: str, *, stop: bool):
    context = _context(row.family, form, label, act) | {"stop": stop, "about": describe(row)}
    return render(request, "households/special_care_act.html", context)


def _context(family: SpecialFamily, form, label: str, act: str) -> dict:
    title = act if act == REPLACE else f"{act}{label}"
    return {"family": family, "form": form, "title": title, "act": act}
