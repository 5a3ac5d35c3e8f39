"""Routes of this app."""

from django.urls import path

from fpadmin.accounts import views, views_accounts, views_regions

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.account_sign_in, name="sign-in"),
    path("sign-out/", views.account_sign_out, name="sign-out"),
    path("session/", views.session_left, name="session-left"),
    path("password/", views.password_change, name="password-change"),
    path("people/", views_accounts.account_list, name="account-list"),
    path("people/search/", views_accounts.account_search, name="account-search"),
    path("people/new/", views_accounts.account_create, name="account-create"),
    path("people/<int:pk>/", views_accounts.account_detail, name="account-detail"),
    path("people/<int:pk>/edit/", views_accounts.account_update, name="account-update"),
    path("people/<int:pk>/disable/", views_accounts.account_disable, name="account-disable"),
    path("people/<int:pk>/enable/", views_accounts.account_enable, name="account-enable"),
    path("people/<int:pk>/reset/", views_accounts.account_reset, name="account-reset"),
    path("roles/", views_accounts.role_list, name="role-list"),
    path("roles/table/", views_accounts.permission_table_page, name="permission-table"),
    path("roles/<int:pk>/", views_accounts.role_update, name="role-update"),
    path("roles/<int:pk>/unlock/", views_accounts.role_unlock, name="role-unlock"),
    path("regions/", views_regions.region_list, name="region-list"),
    path("regions/new/", views_regions.region_create, name="region-create"),
    path("regions/<str:code>/", views_regions.region_detail, name="region-detail"),
    path("regions/<str:code>/edit/", views_regions.region_update, name="region-update"),
]
