from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0003_allow_ended_links"),
    ]

    operations = [
        migrations.AddField(
            model_name="fileasset",
            name="scan_state",
            field=models.CharField(
                choices=[
                    ("pending", "Not scanned yet"),
                    ("clean", "Nothing found"),
                    ("infected", "Harmful"),
                    ("unscannable", "Cannot be scanned"),
                ],
                db_default="pending",
                default="pending",
                editable=False,
                help_text="What a scanner for viruses found in the content; `pending` as long as none has looked.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="fileasset",
            name="scanned_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="fileasset",
            name="finding",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="What harms, or why it cannot be scanned, in the words of the scanner.",
                max_length=200,
            ),
        ),
    ]
