"""The staging table: what a file says, record by record, and what was done about it."""

from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel
from interop.models.jobs import ImportJob

KEY_LENGTH = 600
# The note on an enrolment that was recorded although its section had no seat left.
OVER_CAPACITY = "over_capacity"


class ImportAction(models.TextChoices):
    """What an import is going to do, or has done, about a record."""

    CREATE = "create", "Create"
    UPDATE = "update", "Update"
    UNCHANGED = "unchanged", "Unchanged"
    CONFLICT = "conflict", "Conflict"
    REJECTED = "rejected", "Rejected"


class ImportRow(TimeStampedUUIDModel):
    """One record that a file wants to exist.

    `position` is the order in which records are written, each after what it refers to; `row_no` is
    the line of the file it comes from. `action` is a forecast until `applied_at`, then the fact.
    `before` holds the rows that an update replaced, `written` the versions it left behind.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rows", db_index=False)
    position = models.PositiveIntegerField()
    file = models.CharField(max_length=255)
    row_no = models.PositiveIntegerField()
    resource = models.CharField(max_length=32, help_text="The last part of the resource's URL.")
    natural_key = models.CharField(max_length=KEY_LENGTH, blank=True)
    external_id = models.CharField(max_length=300, blank=True, help_text="scheme:value, as the source knows the row.")
    raw = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    initial = models.JSONField(default=dict, help_text="What only a row that is created gets.")
    action = models.CharField(max_length=10, choices=ImportAction)
    reasons = models.JSONField(default=list, help_text="Why it was refused or not applied in full.")
    notes = models.JSONField(default=list, help_text="What was assumed.")
    object_id = models.UUIDField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    written = models.JSONField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = BaseQuerySet["ImportRow"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "position"],
                name="interop_importrow_unique_position",
                violation_error_code="conflict",
                violation_error_message="Two records of an import have the same place in it.",
            ),
            models.CheckConstraint(
                condition=Q(action__in=ImportAction.values),
                name="interop_importrow_action_known",
                violation_error_code="invalid_choice",
                violation_error_message="The action is not one of the known ones.",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "resource", "natural_key"], name="interop_importrow_by_key"),
            models.Index(
                fields=["job", "resource", "external_id"],
                condition=~Q(external_id=""),
                name="interop_importrow_by_external",
            ),
            models.Index(fields=["job", "action", "position"], name="interop_importrow_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.natural_key}"
