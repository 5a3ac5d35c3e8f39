"""The benefits' places in the menu. The group's own line is 利益导向."""


def load() -> None:
    """Register menu entries. Called once, by ready()."""
