"""Which topics the students of a cycle would like, best first.

ProjectCycle 1 --- * ProjectApplication 1 --- * TopicPreference * --- 1 Topic
students.Student 1 --- * ProjectApplication
"""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Prefetch, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from projects.models.cycles import MOST_PREFERENCES, ProjectCycle, Topic
from students.models import Student


class ProjectApplicationQuerySet(BaseQuerySet["ProjectApplication"]):
    def for_api(self) -> Self:
        ranked = TopicPreference.objects.select_related("topic").order_by("rank")
        return self.select_related("student__person", "cycle").prefetch_related(Prefetch("preferences", ranked))


class ProjectApplication(VersionedModel):
    """That a student wants a final project in a cycle."""

    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="applications")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="project_applications", db_index=False)

    objects = ProjectApplicationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["student", "cycle"],
                name="projects_projectapplication_once",
                violation_error_code="already_applied",
                violation_error_message="The student has said already which topics they prefer.",
            ),
            # What the composite foreign key of a preference refers to.
            models.UniqueConstraint(
                fields=["id", "cycle"],
                name="projects_projectapplication_identity",
                violation_error_code="conflict",
                violation_error_message="An application is for one cycle.",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="projects_application_by_age"),)

    def __str__(self) -> str:
        return f"{self.student} in {self.cycle}"


class TopicPreference(TimeStampedUUIDModel):
    """A topic that a student would like, and how many they would like more: none for rank 1."""

    # Composite foreign keys say that both belong to the cycle, which single ones would say again.
    application = models.ForeignKey(
        ProjectApplication,
        on_delete=models.CASCADE,
        related_name="preferences",
        db_constraint=False,
        db_index=False,
    )
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="preferences", db_constraint=False)
    cycle = models.ForeignKey(
        ProjectCycle, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    rank = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_PREFERENCES)])

    objects = BaseQuerySet["TopicPreference"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["application", "rank"],
                name="projects_topicpreference_rank_once",
                violation_error_code="rank_taken",
                violation_error_message="Two topics have the same rank.",
            ),
            models.UniqueConstraint(
                fields=["application", "topic"],
                name="projects_topicpreference_topic_once",
                violation_error_code="topic_repeated",
                violation_error_message="A topic is named twice.",
            ),
            models.CheckConstraint(
                condition=Q(rank__gte=1, rank__lte=MOST_PREFERENCES),
                name="projects_topicpreference_rank_in_range",
                violation_error_code="rank_out_of_range",
                violation_error_message=f"Ranks are counted from 1 to {MOST_PREFERENCES}.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.rank}: {self.topic}"
