"""The route table. Django admin is not mounted."""

urlpatterns = []
