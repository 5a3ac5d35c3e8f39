"""Routes of the payment batches."""

from django.urls import path

from subsidies.views import batches as views

urlpatterns = [
    path("payments/", views.batch_list_page, name="batch-list"),
    path("payments/new/", views.batch_create, name="batch-create"),
    path("payments/lines/", views.line_list_page, name="line-list"),
    path("payments/lines/special/", views.line_sensitive_list_page, name="line-sensitive-list"),
    path("payments/lines/<int:pk>/hold/", views.line_hold, name="line-hold"),
    path("payments/lines/<int:pk>/release/", views.line_release, name="line-release"),
    path("payments/<int:pk>/", views.batch_detail, name="batch-detail"),
    path("payments/<int:pk>/recalculate/", views.batch_recalculate, name="batch-recalculate"),
    path("payments/<int:pk>/submit/", views.batch_submit, name="batch-submit"),
    path("payments/<int:pk>/check/", views.batch_check, name="batch-check"),
    path("payments/<int:pk>/approve/", views.batch_approve, name="batch-approve"),
    path("payments/<int:pk>/return/", views.batch_return, name="batch-return"),
    path("payments/<int:pk>/void/", views.batch_void, name="batch-void"),
    path("payments/<int:pk>/send/", views.batch_send, name="batch-send"),
    path("payments/<int:pk>/close/", views.batch_close, name="batch-close"),
    path("payments/<int:pk>/lines/", views.batch_lines, name="batch-lines"),
    path("payments/<int:pk>/print/", views.batch_print, name="batch-print"),
    path("payments/<int:pk>/steps/", views.batch_steps, name="batch-steps"),
]
