"""The days that matter to a project."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import JSONObject

from core.models import BaseQuerySet, VersionedModel

LONGEST_TITLE = 255
LONGEST_DESCRIPTION = 2_000


class ImportantDateQuerySet(BaseQuerySet["ImportantDate"]):
    def for_api(self) -> Self:
        return self.select_related("project__owner")

    def as_json(self) -> "models.QuerySet[ImportantDate, Any]":
        """Return each row as the object that a project shows of it."""
        return self.values(json=JSONObject(id="id", title="title", date="date", description="description"))


class ImportantDate(VersionedModel):
    """One day of a project, such as that on which a report is due."""

    # Part of the project, and of no meaning without it. The index below begins with it.
    project = models.ForeignKey(
        "projects.Project", on_delete=models.CASCADE, related_name="important_dates", db_index=False
    )
    title = models.CharField(max_length=LONGEST_TITLE)
    date = models.DateField()
    description = models.TextField(max_length=LONGEST_DESCRIPTION, blank=True, default="", db_default="")

    objects = ImportantDateQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["project", "date", "id"], name="projects_date_by_project"),
            models.Index(fields=["project", "created_at", "id"], name="projects_date_by_creation"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(title=""),
                name="projects_importantdate_titled",
                violation_error_code="blank",
                violation_error_message="A date has a title.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.date}: {self.title}"
