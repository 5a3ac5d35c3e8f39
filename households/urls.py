"""Routes of this app."""

app_name = "households"
urlpatterns = []
