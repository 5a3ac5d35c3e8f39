"""Names that contain a text, wherever it stands in them: the same people on both databases.

The text is meant as typed: no character of it is a wildcard, and capitals differ from small letters.
"""

from django.db.models import Lookup, Q

from fpadmin.fields import BytewiseCharField, next_string


def named(text: str) -> Q:
    """People whose name contains `text`, or whose pinyin initials begin with it."""
    condition = Q(name__has_part=text)
    if text.isascii():
        initials = text.lower()
        condition |= Q(name_initials__gte=initials, name_initials__lt=next_string(initials))
    return condition


@BytewiseCharField.register_lookup
class HasPart(Lookup):
    """`name__has_part="建国"`. PostgreSQL finds the characters in an index, then looks at the text.

    Where it reads a village's people anyway it looks at the text first: to part each name into its
    characters takes ten times as long. And "<> 0", not "> 0", since of that it would expect a third
    of the people, whatever the characters say.
    """

    lookup_name = "has_part"

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return (
            f"(strpos({column}, %s) <> 0 AND string_to_array({column}::text, NULL) @> %s::text[])",
            [*params, self.rhs, *params, list(dict.fromkeys(self.rhs))],
        )

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"instr({column}, %s) > 0", [*params, self.rhs]
