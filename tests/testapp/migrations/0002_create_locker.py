"""Rows with encrypted columns."""

import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids
import core.security.fields


class Migration(migrations.Migration):
    dependencies = [
        ("testapp", "0001_create_parent_and_item"),
    ]

    operations = [
        migrations.CreateModel(
            name="Locker",
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
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("label", models.CharField(blank=True, max_length=40)),
                ("secret", core.security.fields.EncryptedTextField(max_length=64)),
                ("secret_index", core.security.fields.BlindIndexField(of="secret")),
                ("note", core.security.fields.EncryptedTextField(blank=True, max_length=2000, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("secret_index",),
                        name="testapp_locker_unique_secret",
                        violation_error_code="secret_taken",
                        violation_error_message="Another locker has this secret.",
                    )
                ],
            },
        ),
    ]
