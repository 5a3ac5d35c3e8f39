"""Routes of who qualifies."""

from django.urls import path

from subsidies.views import eligibility

urlpatterns = [
    path("eligibility/", eligibility.eligibility_list, name="eligibility-list"),
    path("eligibility/<int:pk>/", eligibility.eligibility_person, name="eligibility-person"),
    path("eligibility/<int:pk>/letter/", eligibility.eligibility_letter, name="eligibility-letter"),
]
