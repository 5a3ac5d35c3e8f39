"""Routes of the bank's answers."""

from django.urls import path

from subsidies.views import bank_returns as views

urlpatterns = [
    path("payments/exceptions/", views.exception_list, name="exception-list"),
    path("payments/exceptions/<int:pk>/", views.exception_detail, name="exception-detail"),
    path(
        "payments/exceptions/<int:pk>/resolve/", views.exception_resolve, name="exception-resolve"
    ),
    path("payments/<int:pk>/answers/", views.batch_answers, name="batch-answers"),
    path("payments/<int:pk>/answers/unclear/", views.answers_unclear, name="batch-answers-unclear"),
    path("payments/lines/<int:pk>/answer/", views.line_answer, name="line-answer"),
]
