"""Routes of applications."""

from django.urls import path

from subsidies.views import applications

urlpatterns = [
    path("applications/", applications.application_list, name="application-list"),
    path("applications/<int:pk>/", applications.application_list, name="application-detail"),
]
