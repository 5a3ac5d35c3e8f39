"""The way in and out, and one's own password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from fpadmin.accounts import middleware, services, sign_in
from fpadmin.accounts.forms import PasswordChangeForm, SignInForm
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import refuse

BACKEND = "django.contrib.auth.backends.ModelBackend"


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def account_sign_in(request):
    """The sign-in page. A correct sign-in starts a new session and goes back where it was asked for."""
    form = SignInForm(request.POST or None)
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(_next_page(request))
    if form.is_valid():
        try:
            account = sign_in.check_credentials(
                **form.cleaned_data, address=request.META.get("REMOTE_ADDR", "")
            )
        except RuleViolation as violation:
            form.add_error(None, violation.message)
        else:
            login(request, account, backend=BACKEND)
            middleware.begin(request.session)
            return redirect(_next_page(request))
    return render(
        request,
        "accounts/sign_in.html",
        {
            "form": form,
            "next": request.POST.get("next", request.GET.get("next", "")),
            "failures": settings.SIGN_IN_FAILURES,
            "minutes": settings.SIGN_IN_LOCK_MINUTES,
        },
    )


@requires(Permission.SIGNED_IN)
@require_POST
def account_sign_out(request):
    """Ends every session of the account and empties what the browser kept."""
    services.sign_out(account=request.user)
    logout(request)
    response = redirect("accounts:sign-in")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@requires(Permission.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def session_left(request):
    """Seconds until the session ends, which asking doesn't put off; a POST does."""
    if request.method == "POST":
        middleware.extend(request.session)
    left, extends = middleware.seconds_left(request.session)
    return JsonResponse({"left": left, "extends": extends})


@requires(Permission.SIGNED_IN)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request):
    """One's own password: the only page of somebody who still has a temporary one."""
    form = PasswordChangeForm(request.POST or None)
    first = request.user.must_change_password
    if form.is_valid():
        try:
            account = services.change_own_password(
                account=request.user,
                current=form.cleaned_data["current"],
                password=form.cleaned_data["password"],
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            update_session_auth_hash(request, account)
            messages.success(request, "密码已修改，其他电脑上的登录已退出。")
            return redirect(settings.LOGIN_REDIRECT_URL)
    return render(
        request,
        "accounts/password_change.html",
        {"form": form, "first": first, "base": "base_door.html" if first else "base.html"},
    )


def _next_page(request) -> str:
    """Where to go after sign-in: a path of this site, else home."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else resolve_url(settings.LOGIN_REDIRECT_URL)
