"""The one exception that a service raises when a rule of the office forbids what was asked."""


class RuleViolation(Exception):
    """`message` is a sentence for the clerk; `field` names the form field it belongs to, if one."""

    def __init__(self, message: str, *, field: str | None = None):
        super().__init__(message)
        self.message = message
        self.field = field


class EditConflict(RuleViolation):
    """Somebody saved the record meanwhile. `current` is the record as it stands now."""

    def __init__(self, message: str, *, current):
        super().__init__(message)
        self.current = current
