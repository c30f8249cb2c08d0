"""That an office decides about admission for a whole term, and how far that has come.

departments.Term 1 --- * DecisionRun
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel
from courses.models import Course
from departments.models import Department, Term


class RunState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


# The states in which nothing follows any more.
OVER = (RunState.DONE, RunState.FAILED)


class DecisionRunQuerySet(BaseQuerySet["DecisionRun"]):
    def for_api(self) -> Self:
        return self.select_related("term", "department", "course", "requested_by")


class DecisionRun(TimeStampedUUIDModel):
    """One request to decide about everybody in a term, or in a department or a course of it.

    The counts are of the sections that are done; of a dry run, of what would have been decided.
    """

    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="decision_runs")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="With all below it.",
    )  # fmt: skip
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_dry_run = models.BooleanField(default=False, help_text="Nothing is decided, and what would be is counted.")
    state = models.CharField(max_length=7, choices=RunState, default=RunState.WAITING, editable=False)
    failure = models.CharField(max_length=100, blank=True, editable=False, help_text="The code of why it broke off.")
    sections_total = models.PositiveIntegerField(default=0, editable=False)
    sections_done = models.PositiveIntegerField(default=0, editable=False)
    sections_left_out = models.PositiveIntegerField(
        default=0, editable=False, help_text="In which whoever asked is enrolled, and so decides about nobody."
    )
    eligible = models.PositiveIntegerField(default=0, editable=False)
    short = models.PositiveIntegerField(default=0, editable=False)
    condoned = models.PositiveIntegerField(default=0, editable=False)
    not_eligible = models.PositiveIntegerField(default=0, editable=False)
    made = models.PositiveIntegerField(default=0, editable=False, help_text="How many decisions are new.")
    unchanged = models.PositiveIntegerField(
        default=0, editable=False, help_text="For how many students the former decision stays."
    )
    unmarked = models.PositiveIntegerField(
        default=0, editable=False, help_text="How many students were not marked in every class that was held."
    )
    # The last section that is done, in the order of their ids.
    position = models.UUIDField(null=True, editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = DecisionRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RunState.values),
                name="attendance_decisionrun_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of a run is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(department=None) | Q(course=None),
                name="attendance_decisionrun_one_scope",
                violation_error_code="several_scopes",
                violation_error_message="Name a department or a course, or neither.",
            ),
            models.CheckConstraint(
                condition=Q(sections_done__lte=F("sections_total")),
                name="attendance_decisionrun_progress_in_range",
                violation_error_code="invalid",
                violation_error_message="A run has done no more sections than it has.",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False, state__in=OVER) | Q(finished_at=None) & ~Q(state__in=OVER),
                name="attendance_decisionrun_over_or_not",
                violation_error_code="invalid",
                violation_error_message="A run that is over has ended at a time, and no other has.",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="attendance_decisionrun_latest")]

    def __str__(self) -> str:
        return f"{self.term}: {self.sections_done} of {self.sections_total} sections"
