"""Identifiers that authorities gave to people, encrypted."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.models.identifier
import core.ids
import core.security.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_drop_index_of_former_refresh_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonIdentifier",
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
                (
                    "scheme",
                    models.CharField(
                        choices=[
                            ("national_id", "National identity number"),
                            ("passport", "Passport"),
                            ("tax_number", "Tax number"),
                            ("other", "Other"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        help_text="Whose authority issued it, as ISO 3166-1 alpha-2 code; empty only for the scheme `other`.",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^([A-Z]{2})?$", "A country is named by two capital letters.", code="invalid_country"
                            )
                        ],
                    ),
                ),
                (
                    "value",
                    core.security.fields.EncryptedTextField(
                        max_length=64, validators=[accounts.models.identifier.validate_identifier]
                    ),
                ),
                ("value_index", core.security.fields.BlindIndexField(of="value")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="identifiers", to="accounts.person"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("scheme", "country", "value_index"),
                        name="accounts_personidentifier_unique_value",
                        violation_error_code="identifier_taken",
                        violation_error_message="This identifier is on record already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scheme__in", ["national_id", "passport", "tax_number", "other"])),
                        name="accounts_personidentifier_scheme_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="There is no such scheme.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scheme", "other"), models.Q(("country", ""), _negated=True), _connector="OR"
                        ),
                        name="accounts_personidentifier_country_named",
                        violation_error_code="country_required",
                        violation_error_message="An identifier of this scheme names the country that issued it.",
                    ),
                ],
            },
        ),
    ]
