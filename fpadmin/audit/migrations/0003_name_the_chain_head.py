"""The chain's head has a name that the auditor's filter can show."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="chainhead",
            options={"verbose_name": "审计链末端", "verbose_name_plural": "审计链末端"},
        ),
    ]
