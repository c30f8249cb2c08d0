"""Why a closed sheet is opened again is noted where it says why it was locked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("attendance", "0025_documents_of_condonations")]

    operations = [
        migrations.AlterField(
            model_name="classsession",
            name="lock_note",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the sheet was locked, unlocked since, or opened again.",
                max_length=500,
            ),
        ),
    ]
