"""Attempts at allocating the topics of a cycle, of which one is published.

ProjectCycle 1 --- * AllocationRun 1 --- * AllocationOutcome * --- 0..1 Topic
students.Student 1 --- * AllocationOutcome
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel
from projects.models.cycles import ProjectCycle, Topic
from students.models import Student

SPA_STUDENT = "spa_student"


class AllocationRunQuerySet(BaseQuerySet["AllocationRun"]):
    def published(self) -> Self:
        """Those by which projects were made."""
        return self.filter(published_at__isnull=False)

    def for_api(self) -> Self:
        return self.select_related("cycle", "requested_by", "published_by")


class AllocationRun(TimeStampedUUIDModel):
    """Who would get which topic, by what was wanted and offered when it was asked: never changed, only published.

    `document` is all that it was decided by, and the hash of that is `input_hash`: the same comes to the same outcomes.
    """

    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="allocation_runs", db_index=False)
    algorithm = models.CharField(max_length=20, default=SPA_STUDENT, editable=False)
    document = models.JSONField(editable=False)
    input_hash = models.CharField(max_length=64, editable=False, help_text="SHA-256 of all that it was decided by.")
    students_count = models.PositiveIntegerField(editable=False, help_text="How many want a topic.")
    placed_count = models.PositiveIntegerField(editable=False, help_text="How many of them get one.")
    first_choices_count = models.PositiveIntegerField(editable=False, help_text="How many get the one they want most.")
    proposals_count = models.PositiveIntegerField(editable=False, help_text="How many choices were tried.")
    small_groups_count = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many groups would be smaller than the cycle would like."
    )
    passed_over_count = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="How many were named, with merits or in rankings, who want no topic or offer none.",
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = AllocationRunQuerySet.as_manager()

    class Meta:
        permissions = (("publish_allocationrun", "Can make projects of an allocation"),)
        constraints = (
            models.UniqueConstraint(
                fields=["cycle"],
                condition=Q(published_at__isnull=False),
                name="projects_allocationrun_one_published",
                violation_error_code="allocation_published",
                violation_error_message="An allocation of this cycle is published already.",
            ),
            models.CheckConstraint(
                condition=Q(algorithm=SPA_STUDENT),
                name="projects_allocationrun_algorithm_known",
                violation_error_code="invalid_choice",
                violation_error_message="The algorithm is not one of the known ones.",
            ),
        )
        indexes = (
            models.Index(fields=["cycle", "created_at", "id"], name="projects_run_by_cycle"),
            models.Index(fields=["created_at", "id"], name="projects_run_by_creation"),
        )

    def __str__(self) -> str:
        return f"{self.cycle}, {self.created_at:%Y-%m-%d %H:%M}"


class AllocationOutcomeQuerySet(BaseQuerySet["AllocationOutcome"]):
    def for_api(self) -> Self:
        return self.select_related("run", "student__person", "topic")


class AllocationOutcome(TimeStampedUUIDModel):
    """What a student gets by a run, and what stood in the way of every topic that they wanted more.

    Each of `missed` has the `topic`, its `rank`, the `shortage` (`topic_full`, `supervisor_full`), how many `places`
    there are, and the `basis` on which whoever has the last of them is ahead (`ranking`, `merit`, `lot`, `no_places`).
    """

    run = models.ForeignKey(AllocationRun, on_delete=models.PROTECT, related_name="outcomes", db_index=False)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="allocation_outcomes")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, null=True, related_name="+")
    rank = models.PositiveSmallIntegerField(null=True, help_text="Which of their choices it is; null where it is none.")
    merit = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        help_text="By which they came before or after others where a supervisor ranked neither.",
    )
    missed = models.JSONField(default=list)

    objects = AllocationOutcomeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["run", "student"],
                name="projects_allocationoutcome_once",
                violation_error_code="conflict",
                violation_error_message="The run has an outcome for the student already.",
            ),
            models.CheckConstraint(
                condition=Q(topic__isnull=True, rank__isnull=True) | Q(topic__isnull=False, rank__gte=1),
                name="projects_allocationoutcome_ranked",
                violation_error_code="invalid",
                violation_error_message="An outcome has a rank exactly when it has a topic.",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="projects_outcome_by_creation"),)

    def __str__(self) -> str:
        return f"{self.student}: {self.topic_id}"
