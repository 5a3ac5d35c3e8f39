"""Accounts (the system administrator's) and roles (the security administrator's)."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fpadmin import dates
from fpadmin.accounts import services
from fpadmin.accounts.filters import AccountFilter
from fpadmin.accounts.forms import (
    AccountEditForm,
    AccountForm,
    AccountSearchForm,
    RoleForm,
    accounts_named,
)
from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission, Role, requires
from fpadmin.accounts.presenters import account_state, permission_table
from fpadmin.accounts.tables import AccountTable, RoleTable
from fpadmin.errors import EditConflict, RuleViolation
from fpadmin.ui import editing
from fpadmin.ui.forms import refuse
from fpadmin.ui.lists import PAGE_SIZES, list_page

SEARCH_RESULTS = PAGE_SIZES[0]


@requires(Permission.ACCOUNTS_MANAGE)
@require_safe
def account_list(request):
    """Accounts of the administrator's region."""
    return list_page(
        request,
        User.objects.visible_to(request.user).order_by("region__path", "role", "username"),
        template="accounts/account_list.html",
        title="账号",
        table_class=AccountTable,
        filter_class=AccountFilter,
        unit="个",
        extra={"search": AccountSearchForm()},
    )


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def account_search(request):
    """The first accounts whose name or login name contains what was typed."""
    form = AccountSearchForm(request.POST)
    visible = User.objects.visible_to(request.user).order_by("username")
    found = accounts_named(visible, form.cleaned_data["q"]) if form.is_valid() else visible.none()
    return list_page(
        request,
        list(found[:SEARCH_RESULTS]),
        template="accounts/account_search.html",
        title="查找账号",
        table_class=AccountTable,
        unit="个",
        extra={"search": form, "limit": SEARCH_RESULTS},
    )


@requires(Permission.ACCOUNTS_MANAGE)
@require_safe
def account_detail(request, pk):
    """One account: who, where, in which state."""
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    return render(
        request,
        "accounts/account_detail.html",
        {
            "account": account,
            "state": account_state(account, timezone.now()),
            "is_self": account.pk == request.user.pk,
        },
    )


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def account_create(request):
    """A new account; its temporary password is shown once, on the answer to this form."""
    form = AccountForm(
        request.POST or None,
        user=request.user,
        day=dates.today(),
        initial={"region": request.GET.get("region", ""), "role": Role.CLERK},
    )
    if form.is_valid():
        try:
            account, password = services.create_account(**form.cleaned_data, by=request.user)
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            return _show_password(request, account, password, "账号已建立")
    return _account_form(request, form)


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def account_update(request, pk):
    """Name and place of an account."""
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    initial = AccountEditForm.initial_of(account)
    common = {"user": request.user, "day": dates.today(), "initial": initial}
    if request.method != "POST":
        opened = editing.opened(account, initial)
        return _account_form(request, AccountEditForm(**common), account=account, **opened)
    opened = editing.opened_before(request)
    form = AccountEditForm(editing.answers(request, initial), **common)
    if form.is_valid():
        try:
            services.update_account(
                account=account,
                row_version=opened["row_version"],
                **form.cleaned_data,
                by=request.user,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request,
                form,
                conflict,
                section=("账号", "accounts:account-list"),
                title=account.name,
                cancel=reverse("accounts:account-detail", args=[pk]),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, "账号已保存。")
            return redirect("accounts:account-detail", pk=pk)
    return _account_form(request, form, account=account, **opened)


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def account_disable(request, pk):
    """Confirm, then stop an account."""
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    refusal = ""
    if request.method == "POST":
        try:
            services.disable_account(account=account, by=request.user)
        except RuleViolation as violation:
            refusal = violation.message
        else:
            messages.success(request, "账号已停用，已登录的也已退出。")
            return redirect("accounts:account-detail", pk=pk)
    return render(
        request, "accounts/account_disable.html", {"account": account, "refusal": refusal}
    )


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def account_enable(request, pk):
    """Confirm, then let an account work again with a new temporary password."""
    return _with_new_password(
        request, pk, services.enable_account, "accounts/account_enable.html", "账号已启用"
    )


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def account_reset(request, pk):
    """Confirm, then replace a forgotten password by a temporary one."""
    return _with_new_password(
        request, pk, services.reset_password, "accounts/account_reset.html", "密码已重置"
    )


@requires(Permission.ROLES_MANAGE)
@require_safe
def role_list(request):
    """Who holds which role, and who is locked."""
    return list_page(
        request,
        User.objects.visible_to(request.user).order_by("role", "region__path", "username"),
        template="accounts/role_list.html",
        title="角色与锁定",
        table_class=RoleTable,
        filter_class=AccountFilter,
        unit="个",
    )


@requires(Permission.ROLES_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def role_update(request, pk):
    """Give an account another role, at a place of that role's level."""
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    initial = RoleForm.initial_of(account)
    common = {"user": request.user, "day": dates.today(), "initial": initial}
    if request.method != "POST":
        opened = editing.opened(account, initial)
        return _role_form(request, RoleForm(**common), account=account, **opened)
    opened = editing.opened_before(request)
    form = RoleForm(editing.answers(request, initial), **common)
    if form.is_valid():
        try:
            services.change_role(
                account=account,
                row_version=opened["row_version"],
                **form.cleaned_data,
                by=request.user,
            )
        except EditConflict as conflict:
            return editing.conflict_page(
                request,
                form,
                conflict,
                section=("角色与锁定", "accounts:role-list"),
                title=account.name,
                cancel=reverse("accounts:role-list"),
            )
        except RuleViolation as violation:
            refuse(form, violation)
        else:
            messages.success(request, f"{account.name}的角色已调整，重新登录后生效。")
            return redirect("accounts:role-list")
    return _role_form(request, form, account=account, **opened)


@requires(Permission.ROLES_MANAGE)
@require_POST
def role_unlock(request, pk):
    """End a lock after failed sign-ins."""
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    services.unlock_account(account=account, by=request.user)
    messages.success(request, f"{account.name}的账号已解除锁定。")
    return redirect("accounts:role-list")


@requires(Permission.ROLES_MANAGE)
@require_safe
def permission_table_page(request):
    """The literal table of what each role may do."""
    return render(
        request,
        "accounts/permission_table.html",
        {"roles": Role.labels, "table": permission_table()},
    )


def _account_form(request, form, **context):
    return render(request, "accounts/account_form.html", {"form": form, **context})


def _role_form(request, form, **context):
    return render(request, "accounts/role_form.html", {"form": form, **context})


def _with_new_password(request, pk, service, template, title):
    account = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    refusal = ""
    if request.method == "POST":
        try:
            account, password = service(account=account, by=request.user)
        except RuleViolation as violation:
            refusal = violation.message
        else:
            return _show_password(request, account, password, title)
    return render(request, template, {"account": account, "refusal": refusal})


def _show_password(request, account, password, title):
    return render(
        request,
        "accounts/temporary_password.html",
        {"account": account, "password": password, "title": title},
    )
