"""Pages of the shell itself: home, help, display settings, component gallery, health."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from fpadmin import dates
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.ui import services
from fpadmin.ui.display import DisplayForm
from fpadmin.ui.errors import csrf_failure  # noqa: F401 - named in settings
from fpadmin.ui.gallery import samples
from fpadmin.ui.help import topics_for
from fpadmin.ui.menu import cards_for
from fpadmin.ui.todos import todos_for


@requires(Permission.SIGNED_IN)
@require_safe
def home(request):
    """今日工作: what waits for this person today, each number a link to its list."""
    day = dates.today()
    context = {
        "day": day,
        "todos": todos_for(request.user, day),
        "cards": cards_for(request.user, day),
    }
    return render(request, "ui/home.html", context)


@login_not_required
@require_safe
def help_center(request):
    """帮助中心, searchable; open before sign-in too, then with the topics of signing in only."""
    query = request.GET.get("q", "").strip()[:40]
    signed_in = request.user.is_authenticated
    return render(
        request,
        "ui/help.html",
        {
            "base": "base.html" if signed_in else "base_plain.html",
            "query": query,
            "topics": topics_for(request.user, query),
        },
    )


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def display_settings(request):
    """Text size and contrast, kept on the account; and the way out on phones."""
    if request.method == "POST":
        form = DisplayForm(request.POST)
        if form.is_valid():
            services.save_display(by=request.user, **form.cleaned_data)
            messages.success(request, "显示设置已保存，换一台电脑登录也一样。")
            return redirect("display-settings")
    else:
        form = DisplayForm.of(request.user)
    return render(request, "ui/display_settings.html", {"form": form})


@requires(Permission.SIGNED_IN)
@require_safe
def components(request):
    """Every component once; only where DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "ui/components.html", samples())


@login_not_required
@require_safe
def healthz(request):
    """200 when this process serves and reaches its database, else 503; for probes."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unreachable\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")
