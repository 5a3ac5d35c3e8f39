"""Routes of the registry."""

from django.urls import path

from households.views import births, events, households, printing, residents, village_changes

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
    path("village-changes/", village_changes.village_change_list, name="village-change-list"),
    path(
        "village-changes/<str:code>/new/",
        village_changes.village_change_create,
        name="village-change-create",
    ),
    path("households/<int:pk>/events/<slug:kind>/", events.household_event, name="household-event"),
    path("events/", events.event_list, name="event-list"),
    path("events/<int:pk>/", events.event_detail, name="event-detail"),
    path("events/<int:pk>/undo/", events.event_undo, name="event-undo"),
]
    path("events/new/<slug:kind>/", events.arrival_event, name="arrival-event"),
