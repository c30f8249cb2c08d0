"""Identities at other institutions, and log-ins that are under way there."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_open_accounts_to_programs")]

    operations = [
        migrations.CreateModel(
            name="FederatedLogIn",
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
                ("provider", models.CharField(max_length=40)),
                ("state_hash", models.BinaryField(max_length=32)),
                (
                    "binding_hash",
                    models.BinaryField(help_text="Of what the client that began it keeps to itself.", max_length=32),
                ),
                ("redirect_uri", models.CharField(max_length=500)),
                ("expires_at", models.DateTimeField()),
                ("returned_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="accounts_federatedlogin_ends")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("state_hash",),
                        name="accounts_federatedlogin_unique_state",
                        violation_error_code="state_taken",
                        violation_error_message="The state belongs to another log-in.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FederatedIdentity",
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
                ("issuer", models.CharField(max_length=255)),
                (
                    "subject",
                    models.CharField(
                        help_text="Whom the issuer means, for ever; addresses change hands.", max_length=255
                    ),
                ),
                (
                    "email",
                    models.EmailField(blank=True, help_text="The verified address it was linked by.", max_length=254),
                ),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="federated_identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "federated identities",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("issuer", "subject"),
                        name="accounts_federatedidentity_one_account",
                        violation_error_code="identity_taken",
                        violation_error_message="This identity opens another account.",
                    ),
                    models.UniqueConstraint(
                        fields=("user", "issuer"),
                        name="accounts_federatedidentity_one_of_issuer",
                        violation_error_code="account_linked",
                        violation_error_message="The account is linked to another identity of this issuer.",
                    ),
                ],
            },
        ),
    ]
