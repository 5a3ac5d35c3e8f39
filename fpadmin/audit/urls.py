"""Routes of this app."""

from django.urls import path

from fpadmin.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.event_list, name="event-list"),
    path("events/<int:pk>/", views.event_detail, name="event-detail"),
    path("records/<str:target_type>/<str:target_id>/", views.record_history, name="record-history"),
    path("verify/", views.chain_verify, name="chain-verify"),
]
