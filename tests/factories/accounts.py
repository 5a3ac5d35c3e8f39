"""Regions and accounts for tests: required values only."""

from fpadmin.accounts.models import CODE_LENGTHS, Region, User

PASSWORD = "Ce-shi.2018x"
LEVEL_OF_LENGTH = {length: level for level, length in CODE_LENGTHS.items()}


def make_region(code: str, name: str = "", **extra) -> Region:
    """The region of `code`, its ancestors made where missing."""
    found = Region.objects.filter(code=code).first()
    if found:
        return found
    level = LEVEL_OF_LENGTH[len(code)]
    parent = make_region(code[: CODE_LENGTHS[level - 1]]) if level > 1 else None
    path = f"{parent.path if parent else ''}{code}."
    return Region.objects.create(
        code=code, name=name or f"区划{code}", level=level, parent=parent, path=path, **extra
    )


def make_user(role: str, region: Region, username: str = "", **extra) -> User:
    user = User(
        username=username or f"{role}-{region.code}",
        name=extra.pop("name", f"{role}{region.name}"),
        role=role,
        region=region,
        must_change_password=extra.pop("must_change_password", False),
        **extra,
    )
    user.set_password(PASSWORD)
    user.save()
    return user
