"""Routes of the self-check."""

from django.urls import path

from fpadmin.selfcheck import views

app_name = "selfcheck"
urlpatterns = [
    path("", views.finding_list, name="finding-list"),
    path("rules/", views.rule_list, name="rule-list"),
]
