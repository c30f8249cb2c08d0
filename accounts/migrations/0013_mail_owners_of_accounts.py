import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_identify_in_one_plan"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountMail",
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
                        choices=[
                            ("password_reset", "Link that sets a password"),
                            ("password_changed", "Notice of another password"),
                        ],
                        max_length=24,
                    ),
                ),
                ("address", models.EmailField(blank=True, help_text="Where it goes.", max_length=254)),
                ("requested_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "email",
                    models.EmailField(
                        blank=True, help_text="The address of the account when it was asked for.", max_length=254
                    ),
                ),
                (
                    "token_version",
                    models.PositiveIntegerField(default=0, help_text="The account's when it was asked for."),
                ),
                ("token_hash", models.BinaryField(blank=True, max_length=32, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["requested_at"], name="accounts_accountmail_requested")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("token_hash",),
                        name="accounts_accountmail_unique_token",
                        violation_error_code="link_taken",
                        violation_error_message="Another link has this secret.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("token_hash__isnull", False)),
                        fields=("user", "kind"),
                        name="accounts_accountmail_one_link",
                        violation_error_code="link_open",
                        violation_error_message="The account has another link for this.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("token_hash__isnull", True), ("expires_at__isnull", False), _connector="OR"
                        ),
                        name="accounts_accountmail_link_ends",
                        violation_error_code="link_without_end",
                        violation_error_message="A link is good for a time.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["password_reset", "password_changed"])),
                        name="accounts_accountmail_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="There is no such kind of mail.",
                    ),
                ],
            },
        ),
    ]
