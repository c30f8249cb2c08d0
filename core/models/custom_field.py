"""Fields that an institution adds to the records without a programmer.

A definition (`CustomField`) belongs to one kind of record. The values lie in one JSONB column on
the record itself (`CustomizableModel.custom_data`), keyed by the definition's name; a record
without a value lacks the key. `core.customfields` is the only writer of all three.
"""

import re

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import GreaterThan

from core.db.indexes import NamedGinIndex
from core.db.json import ExactDecoder, ExactEncoder
from core.models.base import BaseQuerySet, TimeStampedUUIDModel, VersionedModel


class CustomFieldType(models.TextChoices):
    """What a value is; how each is checked and stored stands in `core.customfields.types`."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    EMAIL = "email", "Email"
    PHONE = "phone", "Phone"
    SELECT = "select", "Select (Dropdown)"
    MULTISELECT = "multiselect", "Multi-Select"
    BOOLEAN = "boolean", "Yes/No"
    TEXTAREA = "textarea", "Long Text"
    FILE = "file", "File Upload"
    URL = "url", "URL"


CHOICE_TYPES = (CustomFieldType.SELECT, CustomFieldType.MULTISELECT)

# Two underscores in a row separate a name from a lookup in query parameters.
NAME_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
NAME_LENGTH = 63


def is_name(text: str) -> bool:
    """Say whether a text may be the name of a custom field."""
    return len(text) <= NAME_LENGTH and re.fullmatch(NAME_PATTERN.strip("^$"), text) is not None


class CustomField(VersionedModel):
    """The definition of one additional field of one kind of record.

    `entity_type` is the label of the record's model, such as "students.student". An archived
    definition keeps the stored values but is no longer shown and takes no values.
    """

    entity_type = models.CharField(max_length=100)
    name = models.CharField(max_length=NAME_LENGTH, help_text="Lower-case letters, digits and single underscores.")
    label = models.CharField(max_length=200)
    field_type = models.CharField(max_length=20, choices=CustomFieldType)
    required = models.BooleanField(default=False)
    help_text = models.TextField(blank=True, default="", max_length=1000)
    default_value = models.JSONField(null=True, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    choices = models.JSONField(default=list, blank=True, help_text='A list of {"value": …, "label": …}.')
    validation_regex = models.CharField(
        max_length=200, blank=True, default="", help_text="An RE2 expression that the whole value has to match."
    )
    min_value = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="Least number, or least length of a text."
    )
    max_value = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Greatest number, or greatest length of a text.",
    )
    min_date = models.DateField(null=True, blank=True, help_text="Earliest date.")
    max_date = models.DateField(null=True, blank=True, help_text="Latest date.")
    is_active = models.BooleanField(default=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    order = models.PositiveSmallIntegerField(default=0)
    unique_values = models.BooleanField(default=False, help_text="No two records may have the same value.")
    is_searchable = models.BooleanField(default=False, help_text="Search looks into this field.")
    protected = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Only whoever may know the protected personal data of a record sees, finds and writes its values.",
    )

    objects = BaseQuerySet["CustomField"].as_manager()

    class Meta:
        ordering = ["order", "name"]
        verbose_name = "Custom Field"
        verbose_name_plural = "Custom Fields"
        constraints = [
            models.UniqueConstraint(
                fields=["entity_type", "name"],
                name="core_customfield_unique_name",
                violation_error_code="custom_field_name_taken",
                violation_error_message="This kind of record already has a custom field with this name.",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=NAME_PATTERN),
                name="core_customfield_name_is_slug",
                violation_error_code="invalid_name",
                violation_error_message="A name starts with a letter and has lower-case letters, digits and single "
                "underscores.",
            ),
            models.CheckConstraint(
                condition=Q(field_type__in=CustomFieldType.values),
                name="core_customfield_type_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such type of custom field.",
            ),
            models.CheckConstraint(
                condition=~Q(field_type__in=CHOICE_TYPES)
                | Q(GreaterThan(Func(F("choices"), function="jsonb_array_length"), Value(0))),
                name="core_customfield_select_has_choices",
                violation_error_code="choices_required",
                violation_error_message="A selection needs choices.",
            ),
            models.CheckConstraint(
                condition=Q(min_value__isnull=True) | Q(max_value__isnull=True) | Q(min_value__lte=F("max_value")),
                name="core_customfield_values_ordered",
                violation_error_code="bounds_reversed",
                violation_error_message="The least value is above the greatest.",
            ),
            models.CheckConstraint(
                condition=Q(min_date__isnull=True) | Q(max_date__isnull=True) | Q(min_date__lte=F("max_date")),
                name="core_customfield_dates_ordered",
                violation_error_code="bounds_reversed",
                violation_error_message="The earliest date is after the latest.",
            ),
            models.CheckConstraint(
                condition=Q(is_active=True, archived_at__isnull=True) | Q(is_active=False, archived_at__isnull=False),
                name="core_customfield_inactive_is_archived",
                violation_error_code="invalid",
                violation_error_message="A definition is inactive from the moment it was archived.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type}: {self.label}"


class UniqueCustomValue(TimeStampedUUIDModel):
    """That one record holds one value of a field whose values are unique.

    The value is represented by its SHA-256, which is short enough to index whatever the value is.
    """

    # Part of the definition, and of no meaning without it.
    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="+", db_index=False)
    object_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)

    objects = BaseQuerySet["UniqueCustomValue"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["field", "digest"],
                name="core_uniquecustomvalue_taken",
                violation_error_code="custom_value_taken",
                violation_error_message="Another record already has this value.",
            ),
            models.UniqueConstraint(
                fields=["object_id", "field"],
                name="core_uniquecustomvalue_one_each",
                violation_error_code="conflict",
                violation_error_message="A record holds one value of a custom field.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_id}: {self.field_id}"


class CustomizableModel(VersionedModel):
    """A kind of record that institutions may extend.

    A concrete model adds `custom_data_index("<app>_<model>")` to the indexes of its Meta.
    """

    custom_data = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        editable=False,
        encoder=ExactEncoder,
        decoder=ExactDecoder,
    )

    class Meta:
        abstract = True


def custom_data_index(prefix: str) -> NamedGinIndex:
    """Return the index that answers `custom_data @> {"name": value}` for the table `prefix`."""
    return NamedGinIndex(fields=["custom_data"], name=f"{prefix}_custom_data", opclasses=["jsonb_path_ops"])
