"""Routes of applications."""

from django.urls import path

from subsidies.views import application_papers as papers
from subsidies.views import applications as views

urlpatterns = [
    path("applications/", views.application_list, name="application-list"),
    path("residents/<int:pk>/apply/", views.application_create, name="application-create"),
    path("applications/<int:pk>/", views.application_detail, name="application-detail"),
    path("applications/<int:pk>/edit/", views.application_edit, name="application-edit"),
    path("applications/<int:pk>/submit/", views.application_submit, name="application-submit"),
    path(
        "applications/<int:pk>/submitted/",
        views.application_submitted,
        name="application-submitted",
    ),
    path("applications/<int:pk>/pass/", views.application_pass, name="application-pass"),
    path("applications/<int:pk>/return/", views.application_return, name="application-return"),
    path("applications/<int:pk>/refuse/", views.application_refuse, name="application-refuse"),
    path(
        "applications/<int:pk>/withdraw/", views.application_withdraw, name="application-withdraw"
    ),
    path("applications/<int:pk>/print/", papers.application_print, name="application-print"),
    path("applications/<int:pk>/receipt/", papers.application_receipt, name="application-receipt"),
    path(
        "applications/<int:pk>/papers/new/",
        papers.application_paper_create,
        name="application-paper-create",
    ),
    path(
        "applications/papers/<int:pk>/",
        papers.application_paper_file,
        name="application-paper-file",
    ),
    path(
        "applications/papers/<int:pk>/remove/",
        papers.application_paper_remove,
        name="application-paper-remove",
    ),
]
