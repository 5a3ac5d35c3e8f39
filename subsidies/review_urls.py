"""Routes of the yearly reviews."""

from django.urls import path

from subsidies.views import reviews as views
from subsidies.views import rosters

urlpatterns = [
    path("reviews/", views.review_list, name="review-list"),
    path("reviews/new/", views.review_create, name="review-create"),
    path("reviews/lines/", views.review_line_list, name="review-line-list"),
    path(
        "reviews/lines/special/",
        views.review_line_sensitive_list,
        name="review-line-sensitive-list",
    ),
    path("reviews/lines/<int:pk>/", views.review_line_decide, name="review-line-decide"),
    path("reviews/<int:pk>/", views.review_detail, name="review-detail"),
    path("reviews/<int:pk>/confirm/", views.review_confirm, name="review-confirm"),
    path("reviews/<int:pk>/close/", views.review_close, name="review-close"),
    path("rosters/", rosters.roster_print, name="roster-print"),
    path("rosters/changes/", rosters.review_exits, name="review-exits"),
    path(
        "rosters/changes/special/",
        rosters.review_exits_sensitive,
        name="review-exits-sensitive",
    ),
]
