"""Routes of the comparison desk."""

from django.urls import path

from subsidies.views import comparison as views

urlpatterns = [
    path("differences/", views.difference_list, name="difference-list"),
    path("differences/compare/", views.comparison_run, name="comparison-run"),
    path("differences/<int:pk>/", views.difference_detail, name="difference-detail"),
    path("differences/<int:pk>/take/", views.difference_take, name="difference-take"),
    path("differences/<int:pk>/decide/", views.difference_decide, name="difference-decide"),
    path("differences/<int:pk>/mend/", views.difference_mend, name="difference-mend"),
    path("differences/<int:pk>/exit/", views.difference_exit, name="difference-exit"),
]
