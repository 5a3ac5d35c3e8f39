"""Routes of the import."""

from django.urls import path

from fpadmin.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.batch_list, name="batch-list"),
    path("new/", views.batch_create, name="batch-create"),
    path("<int:pk>/", views.batch_detail, name="batch-detail"),
    path("<int:pk>/issues/", views.batch_issues, name="batch-issues"),
    path("<int:pk>/changes/", views.batch_changes, name="batch-changes"),
    path("<int:pk>/confirm/", views.batch_confirm, name="batch-confirm"),
    path("<int:pk>/check/", views.batch_check, name="batch-check"),
    path("<int:pk>/discard/", views.batch_discard, name="batch-discard"),
    path("<int:pk>/doubts/", views.batch_doubts, name="batch-doubts"),
    path("<int:pk>/columns/", views.batch_columns, name="batch-columns"),
    path("<int:pk>/columns/forget/", views.batch_forget, name="batch-forget"),
    path("<int:pk>/undo/", views.batch_undo, name="batch-undo"),
    path("<int:pk>/returned/", views.batch_returned, name="batch-returned"),
    path("templates/", views.template_list, name="template-list"),
    path("templates/<slug:key>/", views.template_download, name="template-download"),
]
