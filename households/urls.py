"""Routes of the registry."""

from django.urls import path

from households.special.urls import urlpatterns as special
from households.views import (
    births,
    duplicates,
    events,
    households,
    ledger,
    printing,
    requests,
    residents,
    village_changes,
)

app_name = "households"
urlpatterns = [
    path("residents/", residents.resident_list, name="resident-list"),
    path("residents/search/", residents.resident_search, name="resident-search"),
    path("residents/new/", residents.resident_create, name="resident-create"),
    path("residents/id-number/", residents.id_number_check, name="id-number-check"),
    path("residents/print/", printing.resident_print, name="resident-print"),
    path("residents/<int:pk>/", residents.resident_detail, name="resident-detail"),
    path("residents/<int:pk>/births/", residents.resident_births, name="resident-births"),
    path("residents/<int:pk>/births/new/", births.birth_create, name="birth-create"),
    path("residents/<int:pk>/history/", residents.resident_history, name="resident-history"),
    path("residents/<int:pk>/edit/", residents.resident_edit, name="resident-edit"),
    path("residents/<int:pk>/reveal/", residents.resident_reveal, name="resident-reveal"),
    path("residents/<int:pk>/events/<slug:kind>/", events.resident_event, name="resident-event"),
    path("births/<int:pk>/edit/", births.birth_edit, name="birth-edit"),
    path("households/", households.household_list, name="household-list"),
    path("households/new/", households.household_create, name="household-create"),
    path("households/print/", printing.household_print, name="household-print"),
    path("households/<int:pk>/", households.household_detail, name="household-detail"),
    path("households/<int:pk>/births/", households.household_births, name="household-births"),
    path("households/<int:pk>/history/", households.household_history, name="household-history"),
    path("households/<int:pk>/edit/", households.household_edit, name="household-edit"),
    path("ledger/", ledger.ledger_detail, name="ledger-detail"),
    path("ledger/<str:region>/<str:period>/lock/", ledger.ledger_lock, name="ledger-lock"),
    path("ledger/locks/<int:pk>/unlock/", ledger.ledger_unlock, name="ledger-unlock"),
    path("village-changes/", village_changes.village_change_list, name="village-change-list"),
    path(
        "village-changes/<str:code>/new/",
        village_changes.village_change_create,
        name="village-change-create",
    ),
    path("households/<int:pk>/events/<slug:kind>/", events.household_event, name="household-event"),
    path("events/", events.event_list, name="event-list"),
    path("events/new/<slug:kind>/", events.arrival_event, name="arrival-event"),
    path("events/<int:pk>/", events.event_detail, name="event-detail"),
    path("events/<int:pk>/undo/", events.event_undo, name="event-undo"),
    path("duplicates/", duplicates.duplicate_list, name="duplicate-list"),
    path("duplicates/counts/", duplicates.duplicate_counts, name="duplicate-counts"),
    path("duplicates/<int:pk>/", duplicates.duplicate_detail, name="duplicate-detail"),
    path(
        "duplicates/<int:pk>/different/", duplicates.duplicate_different, name="duplicate-different"
    ),
    path("duplicates/<int:pk>/merge/", duplicates.duplicate_merge, name="duplicate-merge"),
    path("merges/<int:pk>/", duplicates.merge_detail, name="merge-detail"),
    path("merges/<int:pk>/undo/", duplicates.merge_undo, name="merge-undo"),
    path("requests/", requests.request_list, name="request-list"),
    path("requests/<int:pk>/", requests.request_detail, name="request-detail"),
    path("requests/<int:pk>/accept/", requests.request_accept, name="request-accept"),
    path("requests/<int:pk>/reject/", requests.request_reject, name="request-reject"),
    path("requests/<int:pk>/withdraw/", requests.request_withdraw, name="request-withdraw"),
    path(
        "residents/<int:pk>/propose/<str:kind>/", requests.resident_propose, name="resident-propose"
    ),
    path(
        "households/<int:pk>/propose/<str:kind>/",
        requests.household_propose,
        name="household-propose",
    ),
    path("requests/new/<slug:kind>/", requests.arrival_propose, name="arrival-propose"),
    *special,
]
