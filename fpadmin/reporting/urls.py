"""Routes of this app."""

app_name = "reporting"
urlpatterns = []
