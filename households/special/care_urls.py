"""URLs of care and of dates that matter, below special/ in the namespace of the registry."""

from django.urls import path

from households.views import special_care, special_care_lists, special_dates

urlpatterns = [
    path("special/care/", special_care_lists.card_list, name="special-care"),
    path(
        "special/care/priority/",
        special_care_lists.priority_list,
        name="special-care-priority-list",
    ),
    path("special/care/checks/", special_care_lists.check_list, name="special-care-check-list"),
    path(
        "special/care/contracts/",
        special_care_lists.contract_list,
        name="special-care-contract-list",
    ),
    path(
        "special/care/insurance/",
        special_care_lists.insurance_list,
        name="special-care-insurance-list",
    ),
    path("special/care/aid/", special_care_lists.aid_list, name="special-care-aid-list"),
    path(
        "special/<int:pk>/priority/new/",
        special_care.priority_create,
        name="special-care-priority-create",
    ),
    path(
        "special/<int:pk>/care/<slug:kind>/new/",
        special_care.care_create,
        name="special-care-create",
    ),
    path(
        "special/priority/<int:pk>/edit/",
        special_care.priority_edit,
        name="special-care-priority-edit",
    ),
    path(
        "special/care/<slug:kind>/<int:pk>/edit/", special_care.care_edit, name="special-care-edit"
    ),
    path(
        "special/care/<slug:kind>/<int:pk>/remove/",
        special_care.care_remove,
        name="special-care-remove",
    ),
    path("special/cards/<int:pk>/end/", special_care.card_end, name="special-care-card-end"),
    path(
        "special/cards/<int:pk>/replace/",
        special_care.card_replace,
        name="special-care-card-replace",
    ),
    path(
        "special/contracts/<int:pk>/end/",
        special_care.contract_end,
        name="special-care-contract-end",
    ),
    path("special/dates/", special_dates.date_list, name="special-date-list"),
]
