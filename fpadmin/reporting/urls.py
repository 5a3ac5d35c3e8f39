"""Routes of this app."""

from django.urls import path

from fpadmin.reporting import views

app_name = "reporting"
urlpatterns = [
    path("", views.return_list, name="return-list"),
    path("monthly/", views.return_monthly, name="return-monthly"),
    path("annual/", views.return_annual, name="return-annual"),
    path("indicators/", views.indicator_list, name="indicator-list"),
    path("figures/<slug:code>/<str:region>/", views.figure_list, name="figure-list"),
    path("figures/<slug:code>/<str:region>/export/", views.figure_export, name="figure-export"),
    path("versions/<int:pk>/", views.version_detail, name="version-detail"),
    path("versions/<int:pk>/print/", views.version_print, name="version-print"),
    path("versions/<int:pk>/<slug:suffix>/", views.version_download, name="version-download"),
    path("make/<slug:code>/<str:region>/<str:period>/", views.return_make, name="return-make"),
    path("live/<slug:code>/<str:region>/<str:period>/", views.return_detail, name="return-detail"),
]
