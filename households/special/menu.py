"""The special families' places in the menu. The group's own line is 特殊家庭."""


def load() -> None:
    """Register menu entries. Called once, by ready()."""
