"""Routes of the funds and of the number of people that a payment needs."""

from django.urls import path

from subsidies.views import funds

urlpatterns = [
    path("funds/", funds.fund_list_page, name="fund-list"),
    path("funds/new/", funds.fund_create, name="fund-create"),
    path("funds/entries/", funds.fund_entry_list, name="fund-entry-list"),
    path("funds/<int:pk>/", funds.fund_detail, name="fund-detail"),
    path("funds/<int:pk>/entries/new/", funds.fund_entry_create, name="fund-entry-create"),
    path("funds/<int:pk>/budget/", funds.fund_budget, name="fund-budget"),
    path("payment-persons/", funds.persons_list, name="persons-list"),
    path("payment-persons/new/", funds.persons_create, name="persons-create"),
    path("payment-persons/<int:pk>/cancel/", funds.persons_cancel, name="persons-cancel"),
]
