"""Values that were worked out for a few people, put beside their rows in a query."""

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Field, Func, TextField, Value
from django.db.models.functions import Cast


class LookedUp(Func):
    """The value that `values` holds for the row's key, as one parameter however many there are."""

    def __init__(self, values: Mapping[int, Any], output_field: Field):
        table = json.dumps({str(key): value for key, value in values.items()}, ensure_ascii=False)
        super().__init__(
            Value(table, output_field=TextField()),
            Cast(F("pk"), TextField()),
            output_field=output_field,
        )

    def as_sqlite(self, compiler, connection, **more):
        return self.as_sql(
            compiler, connection, arg_joiner=", '$.\"' || ",
            template="JSON_EXTRACT(%(expressions)s || '\"')", **more,
        )  # fmt: skip

    def as_postgresql(self, compiler, connection, **more):
        kind = self.output_field.db_type(connection)
        return self.as_sql(
            compiler, connection, arg_joiner="::jsonb ->> ",
            template=f"((%(expressions)s)::{kind})", **more,
        )  # fmt: skip
