"""Definitions of custom fields, and the table that keeps unique values unique."""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
from django.db import migrations, models

import core.db.json
import core.ids


class Migration(migrations.Migration):
    dependencies = [("core", "0002_outbox_and_idempotency")]

    operations = [
        migrations.CreateModel(
            name="CustomField",
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
                ("entity_type", models.CharField(max_length=100)),
                (
                    "name",
                    models.CharField(help_text="Lower-case letters, digits and single underscores.", max_length=63),
                ),
                ("label", models.CharField(max_length=200)),
                (
                    "field_type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("email", "Email"),
                            ("phone", "Phone"),
                            ("select", "Select (Dropdown)"),
                            ("multiselect", "Multi-Select"),
                            ("boolean", "Yes/No"),
                            ("textarea", "Long Text"),
                            ("file", "File Upload"),
                            ("url", "URL"),
                        ],
                        max_length=20,
                    ),
                ),
                ("required", models.BooleanField(default=False)),
                ("help_text", models.TextField(blank=True, default="", max_length=1000)),
                (
                    "default_value",
                    models.JSONField(
                        blank=True, decoder=core.db.json.ExactDecoder, encoder=core.db.json.ExactEncoder, null=True
                    ),
                ),
                (
                    "choices",
                    models.JSONField(blank=True, default=list, help_text='A list of {"value": …, "label": …}.'),
                ),
                (
                    "validation_regex",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="An RE2 expression that the whole value has to match.",
                        max_length=200,
                    ),
                ),
                (
                    "min_value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Least number, or least length of a text.",
                        max_digits=10,
                        null=True,
                    ),
                ),
                (
                    "max_value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Greatest number, or greatest length of a text.",
                        max_digits=10,
                        null=True,
                    ),
                ),
                ("min_date", models.DateField(blank=True, help_text="Earliest date.", null=True)),
                ("max_date", models.DateField(blank=True, help_text="Latest date.", null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("order", models.PositiveSmallIntegerField(default=0)),
                (
                    "unique_values",
                    models.BooleanField(default=False, help_text="No two records may have the same value."),
                ),
                ("is_searchable", models.BooleanField(default=False, help_text="Search looks into this field.")),
            ],
            options={
                "verbose_name": "Custom Field",
                "verbose_name_plural": "Custom Fields",
                "ordering": ["order", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity_type", "name"),
                        name="core_customfield_unique_name",
                        violation_error_code="custom_field_name_taken",
                        violation_error_message="This kind of record already has a custom field with this name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[a-z][a-z0-9]*(_[a-z0-9]+)*$")),
                        name="core_customfield_name_is_slug",
                        violation_error_code="invalid_name",
                        violation_error_message="A name starts with a letter and has lower-case letters, digits and single underscores.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "field_type__in",
                                [
                                    "text",
                                    "number",
                                    "date",
                                    "email",
                                    "phone",
                                    "select",
                                    "multiselect",
                                    "boolean",
                                    "textarea",
                                    "file",
                                    "url",
                                ],
                            )
                        ),
                        name="core_customfield_type_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="There is no such type of custom field.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("field_type__in", ("select", "multiselect")), _negated=True),
                            django.db.models.lookups.GreaterThan(
                                models.Func(models.F("choices"), function="jsonb_array_length"), models.Value(0)
                            ),
                            _connector="OR",
                        ),
                        name="core_customfield_select_has_choices",
                        violation_error_code="choices_required",
                        violation_error_message="A selection needs choices.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("min_value__isnull", True),
                            ("max_value__isnull", True),
                            ("min_value__lte", models.F("max_value")),
                            _connector="OR",
                        ),
                        name="core_customfield_values_ordered",
                        violation_error_code="bounds_reversed",
                        violation_error_message="The least value is above the greatest.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("min_date__isnull", True),
                            ("max_date__isnull", True),
                            ("min_date__lte", models.F("max_date")),
                            _connector="OR",
                        ),
                        name="core_customfield_dates_ordered",
                        violation_error_code="bounds_reversed",
                        violation_error_message="The earliest date is after the latest.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("archived_at__isnull", True), ("is_active", True)),
                            models.Q(("archived_at__isnull", False), ("is_active", False)),
                            _connector="OR",
                        ),
                        name="core_customfield_inactive_is_archived",
                        violation_error_code="invalid",
                        violation_error_message="A definition is inactive from the moment it was archived.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UniqueCustomValue",
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
                ("object_id", models.UUIDField()),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "field",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.customfield",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("field", "digest"),
                        name="core_uniquecustomvalue_taken",
                        violation_error_code="custom_value_taken",
                        violation_error_message="Another record already has this value.",
                    ),
                    models.UniqueConstraint(
                        fields=("object_id", "field"),
                        name="core_uniquecustomvalue_one_each",
                        violation_error_code="conflict",
                        violation_error_message="A record holds one value of a custom field.",
                    ),
                ],
            },
        ),
    ]
