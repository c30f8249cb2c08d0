"""Everything that the records say about a person, in one file for them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Person
from core.models import PreparedFile, PreparedFileQuerySet, PreparedState

ExportState = PreparedState


class SubjectExportQuerySet(PreparedFileQuerySet["SubjectExport"]):
    def for_api(self) -> Self:
        return self.select_related("person", "requested_by")


class SubjectExport(PreparedFile):
    """That somebody asked for everything about a person, and what came of it.

    The file lies outside of the database, encrypted, for `SUBJECT_EXPORTS_KEPT`; whoever asked for it, and nobody else,
    may fetch it.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="exports")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, help_text="Needed for the data of somebody else.")
    rows = models.PositiveIntegerField(default=0, help_text="Rows of all tables together.")

    objects = SubjectExportQuerySet.as_manager()

    class Meta:
        verbose_name = "subject export"
        verbose_name_plural = "subject exports"
        indexes = [
            models.Index(fields=["requested_by", "created_at", "id"], name="privacy_export_by_requester"),
            models.Index(
                fields=["expires_at"], condition=Q(state=ExportState.READY), name="privacy_export_ready_until"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "requested_by"],
                condition=Q(state=ExportState.REQUESTED),
                name="privacy_subjectexport_one_at_a_time",
                violation_error_code="export_in_progress",
                violation_error_message="The data of this person is being put together for you already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ExportState.values),
                name="privacy_subjectexport_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an export is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=~Q(state=ExportState.READY) | (~Q(stored_name="") & Q(expires_at__isnull=False)),
                name="privacy_subjectexport_ready_has_file",
                violation_error_code="invalid",
                violation_error_message="An export that is ready has a file and a last day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.requested_by_id}"
