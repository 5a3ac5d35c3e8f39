"""Routes of the benefits; each part keeps its own."""

from django.urls import include, path

app_name = "subsidies"
urlpatterns = [
    path("", include("subsidies.application_urls")),
    path("", include("subsidies.batch_urls")),
    path("", include("subsidies.eligibility_urls")),
    path("", include("subsidies.bank_file_urls")),
    path("", include("subsidies.bank_return_urls")),
    path("", include("subsidies.comparison_urls")),
    path("", include("subsidies.enrolment_urls")),
    path("", include("subsidies.fund_urls")),
    path("", include("subsidies.meeting_urls")),
    path("", include("subsidies.notice_urls")),
    path("", include("subsidies.oneoff_urls")),
    path("", include("subsidies.outlook_urls")),
    path("", include("subsidies.policy_urls")),
    path("", include("subsidies.recovery_urls")),
    path("", include("subsidies.reissue_urls")),
    path("", include("subsidies.review_urls")),
    path("", include("subsidies.stipend_urls")),
]
