"""URLs of the special families, within the namespace of the registry."""

urlpatterns = []
