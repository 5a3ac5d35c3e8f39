"""Routes of the files for banks."""

from django.urls import path

from subsidies.views import bank_files as views

urlpatterns = [
    path("bank-layouts/", views.layout_list_page, name="layout-list"),
    path("bank-layouts/new/", views.layout_create, name="layout-create"),
    path("bank-layouts/<int:pk>/", views.layout_edit, name="layout-edit"),
    path("payments/<int:pk>/bank-file/make/", views.bank_file_make, name="bank-file-make"),
    path("payments/<int:pk>/bank-file/", views.bank_file_download, name="bank-file-download"),
]
