"""Second factors, recovery codes, and log-ins that wait for one of them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.security.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_mail_owners_of_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="PendingLogIn",
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
                ("token_hash", models.BinaryField(max_length=32)),
                (
                    "token_version",
                    models.PositiveIntegerField(help_text="Of the account; one that has changed completes nothing."),
                ),
                (
                    "amr",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16),
                        help_text="How its owner proved who they are so far.",
                        size=None,
                    ),
                ),
                (
                    "device",
                    models.BinaryField(
                        help_text="The known device it is made on, if it is one.", max_length=16, null=True
                    ),
                ),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                (
                    "challenge",
                    models.CharField(blank=True, help_text="What a security key has to sign.", max_length=64),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("expires_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pending_log_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="accounts_pendinglogin_expires")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("token_hash",),
                        name="accounts_pendinglogin_unique_token",
                        violation_error_code="token_taken",
                        violation_error_message="The token belongs to another log-in.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
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
                ("code_hash", models.BinaryField(max_length=32)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_codes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "code_hash"),
                        name="accounts_recoverycode_unique",
                        violation_error_code="code_exists",
                        violation_error_message="The account has this recovery code.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
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
                    "kind",
                    models.CharField(
                        choices=[("totp", "Authenticator app"), ("webauthn", "Security key")], max_length=8
                    ),
                ),
                ("name", models.CharField(blank=True, help_text="What its owner calls it.", max_length=80)),
                (
                    "secret",
                    core.security.fields.EncryptedTextField(
                        help_text="What its codes are computed from, or the public data of a security key."
                    ),
                ),
                (
                    "counter",
                    models.BigIntegerField(
                        db_default=-1,
                        default=-1,
                        help_text="The step of the last code, or the last count of a key; it only grows.",
                    ),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="second_factors",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at__isnull", False), ("kind", "totp")),
                        fields=("user",),
                        name="accounts_secondfactor_one_app",
                        violation_error_code="factor_exists",
                        violation_error_message="The account has an authenticator app; remove it first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["totp", "webauthn"])),
                        name="accounts_secondfactor_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                ],
            },
        ),
    ]
