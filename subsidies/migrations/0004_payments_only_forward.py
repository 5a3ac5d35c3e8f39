"""What the database itself refuses of payments: steps that there are not, and changes of what was agreed.

The steps are written out here as they were; tests compare them with models.BATCH_TRANSITIONS and
LINE_TRANSITIONS. Held by triggers of both databases:
- a batch or a line goes from a state only to one that may follow;
- office, policy, months, count, total and digest of a batch stay once it has left the draft;
- lines come and go, and change name, account or amount, only in the draft (history comes in whole);
- entries of a fund are neither changed nor deleted.
"""

from django.db import migrations

BATCH_STEPS = (
    "draft>submitted", "draft>void", "submitted>checked", "submitted>draft", "submitted>void",
    "checked>approved", "checked>draft", "checked>void", "approved>sealed", "approved>void",
    "sealed>sent", "sealed>void", "sent>partly_returned", "sent>reconciled",
    "partly_returned>reconciled", "reconciled>closed",
)  # fmt: skip
LINE_STEPS = (
    "planned>held", "planned>instructed", "planned>void", "held>planned", "held>void",
    "instructed>paid", "instructed>failed", "instructed>returned", "instructed>unknown",
    "unknown>paid", "unknown>failed", "unknown>returned", "failed>paid", "paid>returned",
    "paid>recall_asked", "recall_asked>paid", "recall_asked>recovered",
)  # fmt: skip
BATCH, LINE, ENTRY = (
    "subsidies_paymentbatch", "subsidies_paymentline", "subsidies_fundentry",
)  # fmt: skip
FROZEN_BATCH = (
    "number", "office_id", "policy_code", "kind", "year", "from_month", "to_month", "pay_year",
    "part", "parent_id", "persons", "count", "total", "sha256",
)  # fmt: skip
# Not the ciphertext of the account, which a rotation of keys writes anew, nor who the person is,
# which a merge of two records settles: the digest and the name say who was paid.
FROZEN_LINE = (
    "batch_id", "line_no", "kind", "policy_code", "slot", "year", "months", "month_count",
    "household_no", "grade", "name", "bank", "account_digest", "gross", "deduction", "amount",
    "reissue_of_id", "is_agreed",
)  # fmt: skip


def _listed(steps) -> str:
    return ", ".join(f"'{step}'" for step in steps)


def _differ(columns) -> str:
    # Both databases have a comparison to which NULL is a value; they only spell it differently.
    return " OR ".join(f"OLD.{column} {{differs}} NEW.{column}" for column in columns)


# (name, table, when, condition under which the write is refused)
RULES = (
    (
        "paymentbatch_step", BATCH, "UPDATE",
        "OLD.state <> NEW.state AND NEW.kind <> 'history'"
        f" AND OLD.state || '>' || NEW.state NOT IN ({_listed(BATCH_STEPS)})",
    ),
    (
        "paymentbatch_frozen", BATCH, "UPDATE",
        f"OLD.state <> 'draft' AND OLD.kind <> 'history' AND ({_differ(FROZEN_BATCH)})",
    ),
    (
        "paymentline_step", LINE, "UPDATE",
        "OLD.state <> NEW.state"
        f" AND OLD.state || '>' || NEW.state NOT IN ({_listed(LINE_STEPS)})",
    ),
    (
        "paymentline_frozen", LINE, "UPDATE",
        f"({_differ(FROZEN_LINE)}) AND EXISTS (SELECT 1 FROM {BATCH} b WHERE b.id = OLD.batch_id"
        " AND b.state <> 'draft')",
    ),
    (
        "paymentline_added", LINE, "INSERT",
        f"EXISTS (SELECT 1 FROM {BATCH} b WHERE b.id = NEW.batch_id AND b.state <> 'draft'"
        " AND b.kind <> 'history')",
    ),
    (
        "paymentline_taken_out", LINE, "DELETE",
        f"EXISTS (SELECT 1 FROM {BATCH} b WHERE b.id = OLD.batch_id AND b.state <> 'draft'"
        " AND b.kind <> 'history')",
    ),
    ("fundentry_changed", ENTRY, "UPDATE", "1 = 1"),
    ("fundentry_taken_out", ENTRY, "DELETE", "1 = 1"),
)  # fmt: skip


def _postgresql(name, table, verb, refused) -> str:
    refused = refused.replace("{differs}", "IS DISTINCT FROM")
    row = "OLD" if verb == "DELETE" else "NEW"
    return f"""
CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {refused} THEN
        RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation', CONSTRAINT = '{name}';
    END IF;
    RETURN {row};
END $$;
CREATE TRIGGER {name} BEFORE {verb} ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_{name}();
"""


def _sqlite(name, table, verb, refused) -> str:
    refused = refused.replace("{differs}", "IS NOT")
    return (
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN"
        f" SELECT RAISE(ABORT, '{name}') WHERE {refused}; END"
    )


def forwards(apps, schema_editor):
    write = _postgresql if schema_editor.connection.vendor == "postgresql" else _sqlite
    for rule in RULES:
        schema_editor.execute(write(*rule), params=None)


def backwards(apps, schema_editor):
    for name, table, *_ in RULES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}", params=None)
            schema_editor.execute(f"DROP FUNCTION {table}_{name}()", params=None)
        else:
            schema_editor.execute(f"DROP TRIGGER {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [("subsidies", "0003_payments")]
    operations = [migrations.RunPython(forwards, backwards)]
