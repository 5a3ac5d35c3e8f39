"""The auditor's pages: the trail, one event, one record's history, and whether the chain holds."""

from dataclasses import asdict

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin.accounts.permissions import Permission, requires
from fpadmin.audit import log, presenters, services
from fpadmin.audit.filters import EventFilter
from fpadmin.audit.models import AuditEvent
from fpadmin.audit.tables import EventTable
from fpadmin.ui.lists import list_page

# Events read by one request of the verification; the page asks for the next ones by itself.
ROWS_A_STEP = 20_000
SESSION_KEY = "audit_verification"


@requires(Permission.AUDIT_VIEW)
@require_safe
def event_list(request):
    """The trail of the auditor's region and of the system itself, newest first."""
    return list_page(
        request,
        AuditEvent.objects.visible_to(request.user).order_by("-pk"),
        template="audit/event_list.html",
        title="审计记录",
        table_class=EventTable,
        filter_class=EventFilter,
        unit="条",
    )


@requires(Permission.AUDIT_VIEW)
@require_safe
def event_detail(request, pk):
    """One event with everything it says."""
    event = get_object_or_404(AuditEvent.objects.visible_to(request.user), pk=pk)
    return render(
        request,
        "audit/event_detail.html",
        {
            "event": event,
            "type_label": presenters.type_label(event),
            "result": presenters.result_tag(event),
            "role": presenters.role_label(event),
            "target": presenters.target_label(event),
            "changes": presenters.change_lines(event),
        },
    )


@requires(Permission.AUDIT_VIEW)
@require_safe
def record_history(request, target_type, target_id):
    """Everything that happened to one record, and who looked at it."""
    events = AuditEvent.objects.visible_to(request.user).filter(
        target_type=target_type, target_id=target_id
    )
    latest = events.first()
    if latest is None:
        raise Http404
    return list_page(
        request,
        events.order_by("-pk"),
        template="audit/record_history.html",
        title=presenters.target_label(latest),
        table_class=EventTable,
        unit="条",
    )


@requires(Permission.AUDIT_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def chain_verify(request):
    """Reads the chain from its beginning, some thousand events a request; the end is recorded."""
    state = None
    if request.method == "POST":
        kept = request.session.get(SESSION_KEY) if "go_on" in request.POST else None
        state = log.Verification(**kept) if kept else log.begin_verification()
        state = log.verify_on(state, ROWS_A_STEP)
        if state.done:
            request.session.pop(SESSION_KEY, None)
            services.finish_verification(outcome=state, by=request.user)
        else:
            request.session[SESSION_KEY] = asdict(state)
    return render(request, "audit/chain_verify.html", {"state": state})
