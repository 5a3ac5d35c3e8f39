"""Routes of this app."""

app_name = "imports"
urlpatterns = []
