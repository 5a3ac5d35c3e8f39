"""The inspection pack: what is asked for here is made, shown and fetched like any export."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.exports.models import Export
from fpadmin.exports.packs import PACKS
from fpadmin.exports.services import request_pack
from fpadmin.ui.forms import refuse
from fpadmin.ui.listing import LISTS, Selection, rows_of
from fpadmin.ui.lists import list_url
from households.forms.special_pack import PackForm
from households.special import pack as special_pack

Scope = Export.Scope


@requires(Permission.SPECIAL_LIST)
@require_http_methods(["GET", "HEAD", "POST"])
def special_pack_create(request):
    """Ask for the pack of the ticked families, or of all that the list's conditions find."""
    pack = PACKS[special_pack.KEY]
    spec = LISTS[pack.list_key]
    selection = Selection.of(request)
    back = list_url(spec, selection.asked)
    if request.method == "POST" and not selection:
        messages.warning(request, "还没有选中家庭。请先勾选，再点“迎检资料包”。")
        return redirect(back)
    found = rows_of(spec, selection.asked).order_by().count()
    scopes = [(Scope.FOUND, f"列表里的全部家庭，共{found:,}户")]
    if selection.picked:
        scopes.insert(0, (Scope.PICKED, f"勾选的{len(selection.picked):,}户"))
    is_answer = request.POST.get("step") == "ask"
    form = PackForm(
        request.POST if is_answer else None, user=request.user, pack=pack, scopes=scopes
    )
    if is_answer and form.is_valid():
        values = form.values()
        if values["scope"] == Scope.FOUND:
            selection = Selection(selection.asked, is_all=True)
        try:
            export = request_pack(
                by=request.user, pack=pack, selection=selection, now=timezone.now(), **values
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return redirect(export)
    return render(
        request,
        "households/special_pack_form.html",
        {
            "form": form,
            # Without ticks the same answer is for all.
            "hidden": selection.hidden() if selection else [("all", "1")],
            "back": back,
        },
    )
