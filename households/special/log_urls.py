"""URLs of the contact log, the matrix and the needs, below special/ in the namespace of the registry."""

from django.urls import path

from households.views import special_log, special_matrix, special_needs

urlpatterns = [
    path("special/contacts/", special_matrix.special_matrix, name="special-matrix"),
    path("special/tasks/", special_matrix.special_my_tasks, name="special-my-tasks"),
    path("special/records/new/", special_matrix.special_record_start, name="special-record-start"),
    path(
        "special/<int:pk>/records/new/",
        special_log.special_record_create,
        name="special-record-create",
    ),
    path(
        "special/records/<int:pk>/edit/",
        special_log.special_record_edit,
        name="special-record-edit",
    ),
    path(
        "special/records/<int:pk>/void/",
        special_log.special_record_void,
        name="special-record-void",
    ),
    path(
        "special/<int:pk>/months/<str:month>/",
        special_log.special_month_detail,
        name="special-month-detail",
    ),
    path(
        "special/<int:pk>/months/<str:month>/explain/",
        special_log.special_month_explain,
        name="special-month-explain",
    ),
    path("special/needs/", special_needs.special_need_list, name="special-need-list"),
    path(
        "special/<int:pk>/needs/new/", special_needs.special_need_create, name="special-need-create"
    ),
    path(
        "special/needs/<int:pk>/close/", special_needs.special_need_close, name="special-need-close"
    ),
    path("special/needs/<int:pk>/pass/", special_needs.special_need_pass, name="special-need-pass"),
]
