"""Where somebody may look: one prefix filter along the region tree, used by every read."""

from django.db import models
from django.db.models import Q


def below(prefix: str, field: str = "path") -> Q:
    """Rows whose `field` starts with the path `prefix`: a range, so that an index serves it.

    Paths end in a dot, so 53.1. is not a prefix of 53.10.; the next string after every
    descendant is the prefix with its last dot raised to a slash.
    """
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix[:-1] + "/"})


class RegionScopedQuerySet(models.QuerySet):
    """Base of every business QuerySet. `region_path` names the way to the region's path column."""

    region_path = "region__path"

    def visible_to(self, user) -> "RegionScopedQuerySet":
        """The rows of the user's region and below. Without a region: none."""
        path = getattr(user, "scope_path", "")
        return self.filter(below(path, self.region_path)) if path else self.none()

    def within(self, region) -> "RegionScopedQuerySet":
        """The rows of `region` and everything below it."""
        return self.filter(below(region.path, self.region_path))
