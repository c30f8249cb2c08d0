"""What every project has, whatever its kind."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils import timezone

from core.models import BaseQuerySet, CustomizableModel, custom_data_index
from core.search import search_indexes, search_text
from projects.kinds import kinds, project_types
from projects.models.dates import ImportantDate

LONGEST_TYPE = 20


class ProjectState(models.TextChoices):
    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    COMPLETED = "completed", "Completed"


class ProjectQuerySet(BaseQuerySet["Project"]):
    def for_api(self) -> Self:
        dates = ImportantDate.objects.filter(project=OuterRef("pk")).order_by("date", "pk")
        return self.select_related("owner", *(kind.details for kind in kinds())).annotate(
            date_rows=ArraySubquery(dates.as_json())
        )

    def of_type(self, project_type: str) -> Self:
        """Those of one kind."""
        return self.filter(project_type=project_type)

    def drafts(self) -> Self:
        """Those that nobody has published."""
        return self.filter(is_draft=True)

    def abandoned_drafts(self, hours: float = 24, *, at: datetime | None = None) -> Self:
        """Drafts that nobody has touched for so many hours before an instant, which is now unless it is given.

        Whatever belongs to a project touches it: notes, dates and files as well.
        """
        return self.drafts().filter(updated_at__lte=(at or timezone.now()) - timedelta(hours=hours))


class Project(CustomizableModel):
    """What somebody works on for a time.

    A kind whose projects take more steps than these three states keeps its own beside them.
    """

    project_type = models.CharField(max_length=LONGEST_TYPE, choices=project_types)
    name = models.CharField(max_length=255)
    # Every way to look for somebody's projects begins with the owner, and has an index of its own.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )
    start_date = models.DateField(null=True, blank=True)
    end_date = models.DateField(null=True, blank=True, help_text="The last day.")
    state = models.CharField(max_length=10, choices=ProjectState, default=ProjectState.DRAFT, editable=False)
    is_draft = models.GeneratedField(
        expression=models.ExpressionWrapper(Q(state=ProjectState.DRAFT), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    search_text = search_text("name")

    search_paths: ClassVar = ("search_text",)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        permissions = (
            ("view_every_project", "Can see every project"),
            ("manage_every_project", "Can change every project"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["id", "project_type"],
                name="projects_project_type_of_id",
                violation_error_code="conflict",
                violation_error_message="The project is there already.",
            ),
            # The table that the database looks into is named after it.
            models.CheckConstraint(
                condition=Q(project_type__regex=r"^[a-z]+(_[a-z]+)*$"),
                name="projects_project_type_spelled",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such kind of project.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ProjectState.values),
                name="projects_project_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="projects_project_named",
                violation_error_code="blank",
                violation_error_message="A project has a name.",
            ),
            models.CheckConstraint(
                condition=Q(start_date=None) | Q(end_date=None) | Q(end_date__gte=F("start_date")),
                name="projects_project_ends_after_start",
                violation_error_code="ends_before_start",
                violation_error_message="A project does not end before it starts.",
            ),
        )
        indexes = (
            custom_data_index("projects_project"),
            *search_indexes("projects_project", custom_fields=True),
            models.Index(fields=["owner", "created_at", "id"], name="projects_project_by_owner"),
            models.Index(fields=["created_at", "id"], name="projects_project_by_creation"),
            models.Index(fields=["project_type", "created_at", "id"], name="projects_project_by_type"),
            # Which drafts have had their time is read from here alone.
            models.Index(fields=["updated_at", "id"], condition=Q(is_draft=True), name="projects_project_drafts"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def metadata_by_key(self) -> dict[str, Any]:
        """What is noted about it, by key; one query."""
        return dict(self.metadata.order_by("key").values_list("key", "value"))
