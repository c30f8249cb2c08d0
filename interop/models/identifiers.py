"""What is remembered of imported rows: their names elsewhere, and what the last import wrote."""

from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel


class ExternalIdentifier(TimeStampedUUIDModel):
    """The name by which another system knows one of our rows.

    `entity_type` is the label of the row's model, such as "students.student".
    """

    scheme = models.CharField(max_length=32, help_text="Whose name it is, such as oneroster.")
    value = models.CharField(max_length=255)
    entity_type = models.CharField(max_length=100)
    object_id = models.UUIDField()

    objects = BaseQuerySet["ExternalIdentifier"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "entity_type", "value"],
                name="interop_externalidentifier_unique_value",
                violation_error_code="identifier_taken",
                violation_error_message="Another row has this external identifier.",
            ),
            models.CheckConstraint(
                condition=~Q(scheme="") & ~Q(value=""),
                name="interop_externalidentifier_not_blank",
                violation_error_code="blank",
                violation_error_message="An external identifier has a scheme and a value.",
            ),
        ]
        indexes = [models.Index(fields=["entity_type", "object_id"], name="interop_identifier_by_object")]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


class ImportedValue(TimeStampedUUIDModel):
    """What the last import wrote into one row, field by field.

    A field that holds something else by now was edited by hand, and an import leaves it alone
    unless it is asked to overwrite.
    """

    entity_type = models.CharField(max_length=100)
    object_id = models.UUIDField()
    values = models.JSONField(default=dict)

    objects = BaseQuerySet["ImportedValue"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity_type", "object_id"],
                name="interop_importedvalue_one_each",
                violation_error_code="conflict",
                violation_error_message="What an import wrote into a row is remembered once.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.object_id}"
