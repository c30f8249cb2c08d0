"""A file that a worker prepares for whoever asked for it."""

from datetime import datetime
from typing import Self, TypeVar

from django.db import models

from core.models.base import BaseQuerySet, VersionedModel

FileT_co = TypeVar("FileT_co", bound="PreparedFile", covariant=True)


class PreparedState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


class PreparedFileQuerySet(BaseQuerySet[FileT_co]):
    def overdue(self, at: datetime) -> Self:
        """Those whose file has had its time."""
        return self.filter(state=PreparedState.READY, expires_at__lte=at)


class PreparedFile(VersionedModel):
    """That somebody asked for a file, and what came of it; the file itself lies where `core.prepared` puts it."""

    state = models.CharField(max_length=9, choices=PreparedState, default=PreparedState.REQUESTED)
    # Whoever works on it writes a name here, and is too late when it finds another.
    run_id = models.UUIDField(null=True, blank=True, editable=False)
    failure = models.CharField(max_length=64, blank=True, help_text="The code of what stood in the way.")
    stored_name = models.CharField(max_length=100, blank=True, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file as it is handed out.")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    downloaded_at = models.DateTimeField(null=True, blank=True, help_text="When it was last handed out.")

    class Meta:
        abstract = True
