"""One spell in force per person at a time, held by the database: an overlap would count a person twice."""

from django.db import migrations

POSTGRESQL = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE households_residency ADD CONSTRAINT households_residency_no_overlap
    EXCLUDE USING gist (resident_id WITH =, daterange(started_on, ended_on) WITH &&);
"""
POSTGRESQL_BACK = (
    "ALTER TABLE households_residency DROP CONSTRAINT households_residency_no_overlap;"
)
CLASH = """
    SELECT RAISE(ABORT, 'households_residency_no_overlap') WHERE EXISTS (
        SELECT 1 FROM households_residency r
        WHERE r.resident_id = NEW.resident_id AND r.id <> NEW.id
          AND (r.ended_on IS NULL OR NEW.started_on IS NULL OR r.ended_on > NEW.started_on)
          AND (NEW.ended_on IS NULL OR r.started_on IS NULL OR NEW.ended_on > r.started_on));
"""
SQLITE = (
    f"CREATE TRIGGER residency_no_overlap_insert AFTER INSERT ON households_residency BEGIN {CLASH} END",
    f"CREATE TRIGGER residency_no_overlap_update AFTER UPDATE ON households_residency BEGIN {CLASH} END",
)
SQLITE_BACK = (
    "DROP TRIGGER residency_no_overlap_insert",
    "DROP TRIGGER residency_no_overlap_update",
)


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement, params=None)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)
    else:
        for statement in SQLITE_BACK:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("households", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
