"""The places whose policies a user may look at, and choose to set something for."""

from fpadmin.accounts.models import Region

LEVELS_SHOWN = (
    2  # below one's own: a county's list ends with its villages, a province's with its counties
)


def places_of(user) -> list[tuple[str, str]]:
    """(indented name, code) of the user's own region and the levels below it, for a list to choose from."""
    own = user.region.level
    deepest = min(own + LEVELS_SHOWN, Region.Level.VILLAGE)
    rows = Region.objects.visible_to(user).filter(level__lte=deepest).order_by("path")
    return [("　" * (row.level - own) + row.name, row.code) for row in rows]
