"""Routes of the look-ahead and the what-if."""

from django.urls import path

from subsidies.views import outlook, scenarios

urlpatterns = [
    path("outlook/", outlook.outlook, name="outlook"),
    path("outlook/people/", outlook.outlook_list, name="outlook-list"),
    path("scenarios/", scenarios.scenario_list_page, name="scenario-list"),
    path("scenarios/new/", scenarios.scenario_create, name="scenario-create"),
    path("scenarios/people/", scenarios.scenario_people_list, name="scenario-people-list"),
    path("scenarios/<int:pk>/", scenarios.scenario_detail, name="scenario-detail"),
    path("scenarios/<int:pk>/print/", scenarios.scenario_print, name="scenario-print"),
]
