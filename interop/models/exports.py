"""A table that somebody takes away: asked for at once, and made by a worker."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.exports import CSV, FORMATS
from core.models import PreparedFile, PreparedFileQuerySet, PreparedState

OPEN = (PreparedState.REQUESTED, PreparedState.READY)


class ExportJobQuerySet(PreparedFileQuerySet["ExportJob"]):
    def for_api(self) -> Self:
        return self.select_related("requested_by")


class ExportJob(PreparedFile):
    """That somebody asked for a table, how far it has come, and where its file lies.

    The file lies outside of the database, encrypted, for `EXPORTS_KEPT`; whoever asked for it, and nobody else, may
    fetch it.
    """

    kind = models.CharField(max_length=40, help_text="Which table, by the name under which an app declares it.")
    format = models.CharField(max_length=4, choices=FORMATS, default=CSV)
    filters = models.JSONField(
        default=dict, blank=True, help_text="What it is narrowed by, as the address of a list says it."
    )
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField(default=0, help_text="Rows that are written by now.")
    rows_total = models.PositiveIntegerField(null=True, blank=True, help_text="Rows that there were at the beginning.")
    started_at = models.DateTimeField(null=True, blank=True, help_text="When a worker last began with it.")
    # How often a worker began; one that no worker survives is given up.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    # Within which scopes whoever asked held the permission when the table was made.
    reach = models.JSONField(default=dict, blank=True, editable=False)

    objects = ExportJobQuerySet.as_manager()

    class Meta:
        verbose_name = "export"
        verbose_name_plural = "exports"
        indexes = [
            models.Index(fields=["requested_by", "created_at", "id"], name="interop_export_by_requester"),
            models.Index(fields=["created_at", "id"], name="interop_export_latest"),
            models.Index(fields=["updated_at"], condition=Q(state=PreparedState.REQUESTED), name="interop_export_open"),
            models.Index(fields=["expires_at"], condition=Q(state=PreparedState.READY), name="interop_export_until"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=PreparedState.values),
                name="interop_exportjob_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an export is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(format__in=[name for name, _ in FORMATS]),
                name="interop_exportjob_format_known",
                violation_error_code="invalid_choice",
                violation_error_message="The format of an export is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=~Q(state=PreparedState.READY) | (~Q(stored_name="") & Q(expires_at__isnull=False)),
                name="interop_exportjob_ready_has_file",
                violation_error_code="invalid",
                violation_error_message="An export that is ready has a file and a last day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}.{self.format}"
