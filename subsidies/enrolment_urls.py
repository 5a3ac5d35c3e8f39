"""Routes of the rolls and their changes."""

from django.urls import path

from subsidies.views import enrolments as views

urlpatterns = [
    path("enrolments/", views.enrolment_list, name="enrolment-list"),
    path("enrolments/special/", views.enrolment_sensitive_list, name="enrolment-sensitive-list"),
    path("enrolments/<int:pk>/", views.enrolment_detail, name="enrolment-detail"),
    path(
        "enrolments/<int:pk>/changes/new/",
        views.enrolment_change_create,
        name="enrolment-change-create",
    ),
    path("changes/", views.change_list_page, name="change-list"),
    path("changes/<int:pk>/decide/", views.change_decide, name="change-decide"),
    path("changes/<int:pk>/withdraw/", views.change_withdraw, name="change-withdraw"),
]
