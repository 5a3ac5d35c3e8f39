"""Routes of the village workers' pay."""

from django.urls import path

from subsidies.views import stipends as views

urlpatterns = [
    path("stipends/", views.stipend_list, name="stipend-list"),
    path("stipends/new/", views.stipend_create, name="stipend-create"),
    path("stipends/<int:pk>/", views.stipend_detail, name="stipend-detail"),
    path("stipends/<int:pk>/edit/", views.stipend_edit, name="stipend-edit"),
    path("stipends/<int:pk>/submit/", views.stipend_submit, name="stipend-submit"),
    path("stipends/<int:pk>/approve/", views.stipend_approve, name="stipend-approve"),
    path("stipends/<int:pk>/pay/", views.stipend_pay, name="stipend-pay"),
    path("stipends/<int:pk>/print/", views.stipend_print, name="stipend-print"),
]
