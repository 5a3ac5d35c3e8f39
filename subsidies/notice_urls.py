"""Routes of public notices and objections."""

from django.urls import path

from subsidies.views import notices as views

urlpatterns = [
    path("notices/", views.notice_list, name="notice-list"),
    path("notices/new/", views.notice_create, name="notice-create"),
    path("notices/<int:pk>/", views.notice_detail, name="notice-detail"),
    path("notices/<int:pk>/print/", views.notice_print, name="notice-print"),
    path("notices/<int:pk>/photo/", views.notice_photo, name="notice-photo"),
    path("notices/<int:pk>/photo/file/", views.notice_photo_file, name="notice-photo-file"),
    path("notices/<int:pk>/close/", views.notice_close, name="notice-close"),
    path("notices/<int:pk>/objections/new/", views.objection_create, name="objection-create"),
    path("objections/<int:pk>/decide/", views.objection_decide, name="objection-decide"),
]
