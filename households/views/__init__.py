"""Pages of the registry."""

# Where the breadcrumb of a conflict begins.
SECTION = ("居民与家庭", "households:resident-list")
