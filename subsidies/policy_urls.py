"""Routes of the policies."""

from django.urls import path

from subsidies.views import policies, policy_matrix

urlpatterns = [
    path("policies/", policies.policy_list, name="policy-list"),
    path("policies/exclusions/", policy_matrix.policy_matrix, name="policy-matrix"),
    path(
        "policies/exclusions/new/",
        policy_matrix.policy_exclusion_create,
        name="policy-exclusion-create",
    ),
    path(
        "policies/exclusions/<int:pk>/cancel/",
        policy_matrix.policy_exclusion_cancel,
        name="policy-exclusion-cancel",
    ),
    path("policies/deadlines/", policy_matrix.policy_deadline_list, name="policy-deadline-list"),
    path(
        "policies/deadlines/new/",
        policy_matrix.policy_deadline_create,
        name="policy-deadline-create",
    ),
    path(
        "policies/deadlines/<int:pk>/cancel/",
        policy_matrix.policy_deadline_cancel,
        name="policy-deadline-cancel",
    ),
    path("policies/workdays/", policy_matrix.workday_list, name="workday-list"),
    path("policies/workdays/new/", policy_matrix.workday_create, name="workday-create"),
    path(
        "policies/versions/<int:pk>/cancel/",
        policies.policy_version_cancel,
        name="policy-version-cancel",
    ),
    path("policies/rates/<int:pk>/cancel/", policies.policy_rate_cancel, name="policy-rate-cancel"),
    path("policies/<slug:code>/", policies.policy_detail, name="policy-detail"),
    path("policies/<slug:code>/compare/", policies.policy_compare, name="policy-compare"),
    path(
        "policies/<slug:code>/versions/new/",
        policies.policy_version_create,
        name="policy-version-create",
    ),
    path("policies/<slug:code>/rates/new/", policies.policy_rate_create, name="policy-rate-create"),
]
