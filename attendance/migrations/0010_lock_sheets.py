"""Why a sheet was locked, or unlocked since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0009_summaries"),
    ]

    operations = [
        migrations.AddField(
            model_name="classsession",
            name="lock_note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the sheet was locked, or unlocked since.",
                max_length=500,
            ),
        ),
    ]
