from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_custom_fields"),
    ]

    operations = [
        migrations.CreateModel(
            name="Chore",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="The name of its command and of its entry.",
                        max_length=100,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                (
                    "count",
                    models.PositiveIntegerField(default=0, help_text="How many rows the last success dealt with."),
                ),
                (
                    "failure",
                    models.CharField(blank=True, help_text="What the last failure was.", max_length=500),
                ),
            ],
        ),
    ]
