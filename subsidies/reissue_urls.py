"""Routes of failed payments: paid again, and their accounts mended."""

from django.urls import path

from subsidies.views import reissues as views

urlpatterns = [
    path("payments/<int:pk>/reissue/", views.reissue_create, name="reissue-create"),
    path("payments/<int:pk>/tell/", views.account_tell, name="account-tell"),
    path("payments/accounts/", views.account_list_page, name="account-list"),
]
