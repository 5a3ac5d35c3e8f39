"""Routes of who qualifies."""

from django.urls import path

from subsidies.views import eligibility

urlpatterns = [
    path("eligibility/", eligibility.eligibility_list, name="eligibility-list"),
]
