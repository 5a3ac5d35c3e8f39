"""A contact record lies within its contact's term, whoever writes either, held by the database."""

from django.db import migrations

OUTSIDE = """
    SELECT 1 FROM households_contactrecord r JOIN households_familycontact c ON c.id = r.contact_id
    WHERE {rows} AND (r.happened_on < c.started_on OR r.happened_on > c.ended_on)
"""
OF_RECORD = OUTSIDE.format(rows="r.id = NEW.id")
OF_TERM = OUTSIDE.format(rows="c.id = NEW.id")
NAME = "households_contactrecord_within_term"
POSTGRESQL = "".join(
    f"""
CREATE FUNCTION households_{table}_within_term() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS ({outside}) THEN
        RAISE EXCEPTION '{NAME}' USING ERRCODE = 'check_violation', CONSTRAINT = '{NAME}';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {table}_within_term AFTER INSERT OR UPDATE ON households_{table}
    FOR EACH ROW EXECUTE FUNCTION households_{table}_within_term();
"""
    for table, outside in (("contactrecord", OF_RECORD), ("familycontact", OF_TERM))
)
POSTGRESQL_BACK = "".join(
    f"""
DROP TRIGGER {table}_within_term ON households_{table};
DROP FUNCTION households_{table}_within_term();
"""
    for table in ("contactrecord", "familycontact")
)
SQLITE = tuple(
    f"""CREATE TRIGGER {table}_within_term_{verb} AFTER {verb} ON households_{table} BEGIN
        SELECT RAISE(ABORT, '{NAME}') WHERE EXISTS ({outside}); END"""
    for table, outside in (("contactrecord", OF_RECORD), ("familycontact", OF_TERM))
    for verb in ("insert", "update")
)
SQLITE_BACK = tuple(
    f"DROP TRIGGER {table}_within_term_{verb}"
    for table in ("contactrecord", "familycontact")
    for verb in ("insert", "update")
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
    dependencies = [("households", "0010_special_families")]
    operations = [migrations.RunPython(forwards, backwards)]
