"""Routes of this app."""

app_name = "jobs"
urlpatterns = []
