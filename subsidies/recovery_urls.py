"""Routes of recoveries."""

from django.urls import path

from subsidies.views import recoveries as views

urlpatterns = [
    path("recoveries/", views.recovery_list_page, name="recovery-list"),
    path("payments/lines/<int:pk>/recover/", views.recovery_create, name="recovery-create"),
    path("recoveries/<int:pk>/", views.recovery_detail, name="recovery-detail"),
    path("recoveries/<int:pk>/decide/", views.recovery_decide, name="recovery-decide"),
    path("recoveries/<int:pk>/repay/", views.recovery_repay, name="recovery-repay"),
]
