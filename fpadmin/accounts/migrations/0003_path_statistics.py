"""Exact statistics of the regions' paths, on which every scope rests.

A county's paths all begin alike. With a hundred samples of them PostgreSQL takes a township of sixty
regions for one, and then reads for each of the sixty what it should have read once.
"""

from django.db import migrations


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE accounts_region ALTER path SET STATISTICS 2000")


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE accounts_region ALTER path SET STATISTICS -1")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_column_choice")]
    operations = [migrations.RunPython(forwards, backwards)]
