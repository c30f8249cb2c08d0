"""What is due in a final project and when, what the cycle plans for all of them, and who asks for more time.

    ProjectCycle 1 --- * PlannedMilestone 0..1 --- * Milestone * --- 1 FinalYearProject
                         Milestone 1 --- * MilestoneEvent
                         Milestone 1 --- * ExtensionRequest

Triggers hold what is due to the time of the cycle, from when topics are allocated until it is over, and what all of it
weighs to the whole.
"""

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from projects.models.cycles import ProjectCycle
from projects.models.final_year import FinalYearProject

LONGEST_TITLE = 200
LONGEST_TEXT = 5000


class MilestoneKind(models.TextChoices):
    PROPOSAL = "proposal", "Proposal"
    PROGRESS_REPORT = "progress_report", "Progress report"
    DRAFT = "draft", "Draft"
    FINAL_REPORT = "final_report", "Final report"
    PRESENTATION = "presentation", "Presentation"
    OTHER = "other", "Other"


class MilestoneStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    SUBMITTED = "submitted", "Submitted"
    ACCEPTED = "accepted", "Accepted"
    RETURNED = "returned", "Returned"


class DueModel(VersionedModel):
    """What is due: of which kind, until when, and how much of the project it is."""

    kind = models.CharField(max_length=20, choices=MilestoneKind)
    title = models.CharField(max_length=LONGEST_TITLE)
    due_at = models.DateTimeField()
    weight = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="How much of the project it is, in per cent.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


def due_constraints(table: str) -> tuple[models.CheckConstraint, ...]:
    """Return what holds for the columns of `DueModel` in a table."""
    return (
        models.CheckConstraint(
            condition=Q(kind__in=MilestoneKind.values),
            name=f"{table}_kind_known",
            violation_error_code="invalid_choice",
            violation_error_message="The kind is not one of the known ones.",
        ),
        models.CheckConstraint(
            condition=~Q(title=""),
            name=f"{table}_titled",
            violation_error_code="blank",
            violation_error_message="A milestone has a title.",
        ),
        models.CheckConstraint(
            condition=Q(weight__gte=0, weight__lte=100),
            name=f"{table}_weight_in_range",
            violation_error_code="weight_out_of_range",
            violation_error_message="A milestone weighs between 0 and 100 per cent.",
        ),
    )


class PlannedMilestoneQuerySet(BaseQuerySet["PlannedMilestone"]):
    def for_api(self) -> Self:
        return self.select_related("cycle")


class PlannedMilestone(DueModel):
    """What is due in every project of a cycle; the projects have it once it is given to them."""

    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="planned_milestones", db_index=False)

    objects = PlannedMilestoneQuerySet.as_manager()

    class Meta:
        permissions = (("apply_plannedmilestone", "Can give a milestone to all projects of a cycle"),)
        constraints = (
            *due_constraints("projects_plannedmilestone"),
            models.UniqueConstraint(
                fields=["cycle", "title"],
                name="projects_plannedmilestone_once",
                violation_error_code="milestone_taken",
                violation_error_message="There is a milestone with this title already.",
            ),
        )
        indexes = (models.Index(fields=["due_at", "id"], name="projects_planned_by_due"),)


class MilestoneQuerySet(BaseQuerySet["Milestone"]):
    def for_api(self) -> Self:
        return self.select_related("project")


class Milestone(DueModel):
    """What is due in one project, and how far it is.

    `extended_until` is until when it is due instead, since somebody was given more time.
    """

    # The unique constraint below begins with the project.
    project = models.ForeignKey(FinalYearProject, on_delete=models.PROTECT, related_name="milestones", db_index=False)
    planned = models.ForeignKey(
        PlannedMilestone, on_delete=models.SET_NULL, null=True, editable=False, related_name="milestones"
    )
    extended_until = models.DateTimeField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=MilestoneStatus, default=MilestoneStatus.PLANNED, editable=False)
    submission_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        permissions = (
            ("submit_milestone", "Can say that a milestone is reached"),
            ("judge_milestone", "Can accept a milestone or return it"),
        )
        constraints = (
            *due_constraints("projects_milestone"),
            models.UniqueConstraint(
                fields=["project", "title"],
                name="projects_milestone_once",
                violation_error_code="milestone_taken",
                violation_error_message="There is a milestone with this title already.",
            ),
            models.CheckConstraint(
                condition=Q(extended_until__isnull=True) | Q(extended_until__gt=F("due_at")),
                name="projects_milestone_extended_beyond",
                violation_error_code="extension_not_later",
                violation_error_message="An extension ends after the time until which it is due anyway.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=MilestoneStatus.values),
                name="projects_milestone_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        )
        indexes = (
            models.Index(fields=["due_at", "id"], name="projects_milestone_by_due"),
            models.Index(fields=["created_at", "id"], name="projects_milestone_by_creation"),
        )

    @property
    def due(self) -> datetime:
        """Until when it is due, with the time that was given besides."""
        return self.extended_until or self.due_at


class MilestoneEventQuerySet(BaseQuerySet["MilestoneEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "milestone")


class MilestoneEvent(TimeStampedUUIDModel):
    """One step of a milestone from one status to another, by whom and with what feedback."""

    # Part of the milestone, and of no meaning without it.
    milestone = models.ForeignKey(Milestone, on_delete=models.CASCADE, related_name="events")
    from_status = models.CharField(max_length=10, choices=MilestoneStatus, blank=True, help_text="Empty at first.")
    to_status = models.CharField(max_length=10, choices=MilestoneStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True, max_length=LONGEST_TEXT)
    happened_at = models.DateTimeField()

    objects = MilestoneEventQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class ExtensionStatus(models.TextChoices):
    REQUESTED = "requested", "Requested"
    GRANTED = "granted", "Granted"
    REFUSED = "refused", "Refused"


class ExtensionRequestQuerySet(BaseQuerySet["ExtensionRequest"]):
    def for_api(self) -> Self:
        return self.select_related("milestone", "requested_by", "decided_by")


class ExtensionRequest(VersionedModel):
    """That somebody who does a project asks for more time, and what was decided: it stays as it was decided."""

    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="extension_requests")
    until = models.DateTimeField(help_text="Until when it is to be due instead.")
    reason = models.TextField(max_length=2000)
    status = models.CharField(max_length=10, choices=ExtensionStatus, default=ExtensionStatus.REQUESTED, editable=False)
    answer = models.TextField(max_length=2000, blank=True, editable=False, help_text="What whoever decided says of it.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)

    objects = ExtensionRequestQuerySet.as_manager()

    class Meta:
        permissions = (("decide_extensionrequest", "Can decide whether there is more time"),)
        constraints = (
            models.UniqueConstraint(
                fields=["milestone"],
                condition=Q(status="requested"),
                name="projects_extensionrequest_one_pending",
                violation_error_code="extension_pending",
                violation_error_message="Somebody has asked for more time already, and nobody has decided yet.",
            ),
            models.CheckConstraint(
                condition=Q(status="requested", decided_at__isnull=True, decided_by__isnull=True)
                | Q(status__in=["granted", "refused"], decided_at__isnull=False),
                name="projects_extensionrequest_decided",
                violation_error_code="invalid",
                violation_error_message="What was decided says when, and what was not says nothing.",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(requested_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="projects_extensionrequest_decided_by_another",
                violation_error_code="self_approval",
                violation_error_message="Nobody decides about what they asked for.",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="projects_extension_by_creation"),)

    def __str__(self) -> str:
        return f"{self.milestone_id}: {self.status}"
