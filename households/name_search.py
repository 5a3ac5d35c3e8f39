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

    Of a single character the index says all there is to say, and the planner then knows how many.
    """

    lookup_name = "has_part"

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        characters = list(dict.fromkeys(self.rhs))
        indexed = f"string_to_array({column}::text, NULL) @> %s::text[]"
        if len(self.rhs) == 1:
            return indexed, [*params, characters]
        return (
            f"({indexed} AND strpos({column}, %s) > 0)",
            [*params, characters, *params, self.rhs],
        )

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"instr({column}, %s) > 0", [*params, self.rhs]
