"""Which policies' people a user may know of: those that tell of a child's death or illness are for fewer."""

from fpadmin.accounts.permissions import Permission
from subsidies.policies import catalogue


def sees_sensitive(user) -> bool:
    """Clerk and reviewer, who keep the archives, and the county, which confirms."""
    return user.may(Permission.SPECIAL_LIST) or user.may(Permission.BENEFIT_CONFIRM)


def codes_for(user) -> list[str]:
    """The policies that may be named to `user` beside people, in the catalogue's order."""
    everything = sees_sensitive(user)
    return [code for code, one in catalogue.policies().items() if everything or not one.sensitive]
