"""Password rules beyond Django's own: composition (等保 profile) and history."""


class CompositionValidator:
    def validate(self, password, user=None):
        pass

    def get_help_text(self):
        return ""


class HistoryValidator(CompositionValidator):
    pass
