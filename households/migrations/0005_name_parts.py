"""Names by any part of them: PostgreSQL finds them by their characters, SQLite reads them all.

Two characters are too few for trigrams, so the index is over the single characters.
households.name_search asks in the same words, or the index would not be used.
"""

from django.db import migrations

POSTGRESQL = """
CREATE INDEX resident_name_parts ON households_resident
    USING gin (string_to_array(name::text, NULL));
"""


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX resident_name_parts", params=None)


class Migration(migrations.Migration):
    dependencies = [("households", "0004_list_indexes")]
    operations = [migrations.RunPython(forwards, backwards)]
