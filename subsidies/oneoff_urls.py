"""Routes of 专项: wages, pensions, scholarship stages, exam points."""

from django.urls import path

from subsidies.views import oneoff as views

urlpatterns = [
    path("wages/", views.wage_list, name="wage-list"),
    path("wages/new/", views.wage_create, name="wage-create"),
    path("pensions/", views.pension_list_page, name="pension-list"),
    path("pensions/print/", views.pension_print, name="pension-print"),
    path("pensions/<int:pk>/", views.pension_edit, name="pension-edit"),
    path("pensions/<int:pk>/identity/", views.pension_check, name="pension-check"),
    path("schooling/", views.schooling_list_page, name="schooling-list"),
    path("exams/", views.exam_list_page, name="exam-list"),
    path("exams/print/", views.exam_print, name="exam-print"),
    path("exams/<int:pk>/", views.exam_edit, name="exam-edit"),
]
