"""Routes of 见面核实, and of what one person was paid."""

from django.urls import path

from subsidies.views import meetings as views

urlpatterns = [
    path("meetings/", views.meeting_list, name="meeting-list"),
    path("meetings/records/", views.meeting_record_list, name="meeting-record-list"),
    path("meetings/sample/", views.meeting_sample, name="meeting-sample"),
    path("meetings/people/<int:pk>/new/", views.meeting_create, name="meeting-create"),
    path("meetings/villages/<int:pk>/print/", views.meeting_print, name="meeting-print"),
    path("meetings/<int:pk>/", views.meeting_detail, name="meeting-detail"),
    path("meetings/<int:pk>/correct/", views.meeting_correct, name="meeting-correct"),
    path("meetings/<int:pk>/settle/", views.meeting_settle, name="meeting-settle"),
    path("people/<int:pk>/payments/", views.payment_person, name="payment-person"),
]
