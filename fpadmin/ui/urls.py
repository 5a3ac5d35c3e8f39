"""Routes that every registered list shares."""

from django.urls import path

from fpadmin.ui import views_lists

app_name = "lists"
urlpatterns = [
    path("<slug:key>/columns/", views_lists.column_choice, name="column-choice"),
    path("<slug:key>/acts/<slug:act>/", views_lists.act_confirm, name="act-confirm"),
    path("<slug:key>/acts/<slug:act>/<slug:token>/", views_lists.act_result, name="act-result"),
]
