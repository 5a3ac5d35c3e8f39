"""Routes of this app."""

app_name = "audit"
urlpatterns = []
