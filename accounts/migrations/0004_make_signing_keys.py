import django.contrib.postgres.fields
from django.db import migrations, models
from django.db.models.functions import Now

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_index_ended_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_default=Now())),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now())),
                (
                    "kid",
                    models.CharField(
                        editable=False, help_text="The thumbprint of the public key (RFC 7638).", max_length=43
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("next", "Next: published, signs nothing yet"),
                            ("active", "Active: signs"),
                            ("retiring", "Retiring: verifies what it has signed"),
                            ("gone", "Gone: verifies nothing"),
                        ],
                        max_length=8,
                    ),
                ),
                ("public_key", models.TextField(help_text="PEM.")),
                ("private_key", models.BinaryField(help_text="PKCS #8 in DER, encrypted.", null=True)),
                ("published_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["kid"],
                        name="accounts_signingkey_unique_kid",
                        violation_error_code="kid_taken",
                        violation_error_message="Another key has this id.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(state__in=("next", "active")),
                        fields=["state"],
                        name="accounts_signingkey_one_signs",
                        violation_error_code="signing_key_taken",
                        violation_error_message="There is one active key and one next.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(private_key__isnull=False, state__in=("next", "active"))
                        | models.Q(private_key__isnull=True, state__in=["retiring", "gone"]),
                        name="accounts_signingkey_forgets_its_secret",
                        violation_error_code="invalid_key_state",
                        violation_error_message="A key has its private half while it may sign, and no longer.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="session",
            name="amr",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16),
                blank=True,
                db_default=[],
                default=list,
                help_text="How its owner proved who they are (RFC 8176): pwd, otp, …",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="ip",
            field=models.GenericIPAddressField(blank=True, help_text="Where it was last used from.", null=True),
        ),
        migrations.AlterField(
            model_name="session",
            name="rotated_at",
            field=models.DateTimeField(help_text="When the current refresh token was issued; the last sign of use."),
        ),
    ]
