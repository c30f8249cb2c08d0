import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0001_keep_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="filelink",
            name="ended_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="filelink",
            name="people",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                help_text="Of one that has ended: whose record it was, which may be gone.",
                size=None,
            ),
        ),
    ]
