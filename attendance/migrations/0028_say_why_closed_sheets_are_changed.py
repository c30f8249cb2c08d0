"""Why a closed sheet is changed that stays closed is noted where it says why it was opened again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attendance", "0027_refuse_who_marks_by_code")]

    operations = [
        migrations.AlterField(
            model_name="classsession",
            name="lock_note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the sheet was locked, unlocked since, opened again, or changed while it was closed.",
                max_length=500,
            ),
        ),
    ]
