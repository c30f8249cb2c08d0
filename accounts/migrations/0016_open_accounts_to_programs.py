"""Accounts of programs, and the keys with which those call."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.db import migrations, models
from django.db.models import F, Q

import accounts.models.api_key
import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0015_mail_about_addresses"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="is_service",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The account of a program, which calls with API keys. It stays what it was opened as.",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=Q(is_service=False)
                | Q(person__isnull=True, is_staff=False, must_change_password=False, password__startswith=UNUSABLE),
                name="accounts_user_service_is_nobody",
                violation_error_code="service_account",
                violation_error_message="The account of a program has neither person, password nor administration.",
            ),
        ),
        migrations.CreateModel(
            name="ApiKey",
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
                ("name", models.CharField(help_text="Which program uses it.", max_length=100)),
                (
                    "prefix",
                    models.CharField(
                        editable=False, help_text="The part after `chk_`, by which it is known.", max_length=8
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=32)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        help_text="The permissions that it has as long as the roles of its account give them.",
                        size=200,
                    ),
                ),
                (
                    "ip_networks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=43, validators=[accounts.models.api_key.validate_network]
                        ),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="Where it may be used from; empty for everywhere.",
                        size=50,
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("prefix",),
                        name="accounts_apikey_unique_prefix",
                        violation_error_code="prefix_taken",
                        violation_error_message="Another key has this prefix.",
                    ),
                    models.UniqueConstraint(
                        fields=("replaces",),
                        name="accounts_apikey_one_successor",
                        violation_error_code="api_key_rotated",
                        violation_error_message="The key was rotated already.",
                    ),
                    models.CheckConstraint(
                        condition=Q(scopes__len__gt=0),
                        name="accounts_apikey_opens_something",
                        violation_error_code="scopes_required",
                        violation_error_message="A key names the permissions that it is for.",
                    ),
                    models.CheckConstraint(
                        condition=Q(expires_at__gt=F("created_at")),
                        name="accounts_apikey_ends_after_it_begins",
                        violation_error_code="expires_in_past",
                        violation_error_message="A key expires in the future.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKeyUse",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="use",
                        serialize=False,
                        to="accounts.apikey",
                    ),
                ),
                ("last_used_at", models.DateTimeField(null=True)),
                ("last_used_ip", models.GenericIPAddressField(null=True)),
                ("last_refused_at", models.DateTimeField(null=True)),
                ("last_refused_ip", models.GenericIPAddressField(null=True)),
            ],
        ),
    ]
