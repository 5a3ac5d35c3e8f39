"""Routes of the benefits."""

app_name = "subsidies"
urlpatterns = []
