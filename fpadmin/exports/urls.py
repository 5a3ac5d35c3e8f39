"""Routes of this app."""

from django.urls import path

from fpadmin.exports import views

app_name = "exports"
urlpatterns = [
    path("", views.export_list, name="export-list"),
    path("new/<slug:key>/", views.export_create, name="export-create"),
    path("<int:pk>/", views.export_detail, name="export-detail"),
    path("<int:pk>/approve/", views.export_approve, name="export-approve"),
    path("<int:pk>/refuse/", views.export_refuse, name="export-refuse"),
    path("<int:pk>/password/", views.export_password, name="export-password"),
    path("<int:pk>/download/", views.export_download, name="export-download"),
]
