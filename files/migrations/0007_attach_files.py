"""Records refer to files that are attached to them, and not by custom fields alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0006_take_files_in_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="filelink",
            name="entity_type",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Of a file that is attached: the kind of the record, which otherwise the custom field says.",
                max_length=100,
            ),
        ),
        migrations.AlterField(
            model_name="filelink",
            name="custom_field",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty for a file that is attached.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="core.customfield",
            ),
        ),
    ]
