"""Counts of the passwords that were tried."""

import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_index_scopes_of_assignments"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuessCount",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "subject",
                    models.BinaryField(
                        help_text="A keyed hash: what people type as an address may be a secret.", max_length=32
                    ),
                ),
                ("guesses", models.PositiveIntegerField()),
                ("counted_at", models.DateTimeField(help_text="When the last guess was admitted.")),
                ("locked_until", models.DateTimeField(help_text="No guess is admitted before.")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["locked_until"], name="accounts_guesscount_locked"),
                    models.Index(fields=["counted_at"], name="accounts_guesscount_counted"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject",),
                        name="accounts_guesscount_unique_subject",
                        violation_error_code="subject_counted",
                        violation_error_message="The guesses at this subject are counted already.",
                    )
                ],
            },
        ),
    ]
