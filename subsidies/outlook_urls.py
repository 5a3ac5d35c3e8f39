"""Routes of the look-ahead and the what-if."""

from django.urls import path

from subsidies.views import outlook

urlpatterns = [
    path("outlook/", outlook.outlook, name="outlook"),
    path("outlook/people/", outlook.outlook_list, name="outlook-list"),
]
