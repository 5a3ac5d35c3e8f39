"""The route table. Django admin is not mounted."""

from django.urls import include, path

from fpadmin.ui import views

urlpatterns = [
    path("", views.home, name="home"),
    path("help/", views.help_center, name="help"),
    path("display/", views.display_settings, name="display-settings"),
    path("components/", views.components, name="components"),
    path("healthz", views.healthz, name="healthz"),
    path("lists/", include("fpadmin.ui.urls")),
    path("accounts/", include("fpadmin.accounts.urls")),
    path("audit/", include("fpadmin.audit.urls")),
    path("jobs/", include("fpadmin.jobs.urls")),
    path("selfcheck/", include("fpadmin.selfcheck.urls")),
    path("imports/", include("fpadmin.imports.urls")),
    path("exports/", include("fpadmin.exports.urls")),
    path("returns/", include("fpadmin.reporting.urls")),
    path("registry/", include("households.urls")),
    path("benefits/", include("subsidies.urls")),
]
handler400 = "fpadmin.ui.errors.bad_request"
handler403 = "fpadmin.ui.errors.forbidden"
handler404 = "fpadmin.ui.errors.not_found"
handler500 = "fpadmin.ui.errors.server_error"
