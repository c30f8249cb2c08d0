"""What was handed in for a milestone, version by version, and with which files.

    Milestone 1 --- * Submission 1 --- * SubmissionFile * --- 1 files.FileAsset

A version is never changed once it is there: what was said of it is added once. Triggers number the versions of a
milestone without gaps, say until when it was due, and let nobody add a file later, take one away, or delete it.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Prefetch, Q
from django.db.models.lookups import GreaterThan

from core.models import BaseQuerySet, TimeStampedUUIDModel
from files.models import FileAsset
from projects.models.milestones import LONGEST_TEXT, Milestone

MOST_FILES = 20


class SubmissionDecision(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    RETURNED = "returned", "Returned"


class SubmissionQuerySet(BaseQuerySet["Submission"]):
    def for_api(self) -> Self:
        files = SubmissionFile.objects.select_related("asset").order_by("position")
        loaded = self.select_related("milestone", "submitted_by", "decided_by")
        return loaded.prefetch_related(Prefetch("files", files))


class Submission(TimeStampedUUIDModel):
    """One version of what is due.

    `version_no` is counted from 1, and `due_at` is until when it was due, with the time that was given besides: both
    are the database's to say.
    """

    # The unique constraint below begins with the milestone.
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    version_no = models.PositiveIntegerField(default=0, editable=False)
    statement = models.TextField(max_length=LONGEST_TEXT, blank=True, help_text="What those who hand it in say of it.")
    files_count = models.PositiveSmallIntegerField(default=0, editable=False)
    submitted_at = models.DateTimeField(editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    due_at = models.DateTimeField(editable=False)
    is_late = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(GreaterThan(F("submitted_at"), F("due_at"))), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    decision = models.CharField(
        max_length=10,
        choices=SubmissionDecision,
        blank=True,
        editable=False,
        help_text="Empty as long as there is none.",
    )
    feedback = models.TextField(max_length=LONGEST_TEXT, blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["milestone", "version_no"],
                name="projects_submission_version_once",
                violation_error_code="conflict",
                violation_error_message="The milestone has this version already.",
            ),
            models.CheckConstraint(
                condition=Q(files_count__lte=MOST_FILES),
                name="projects_submission_files_in_range",
                violation_error_code="too_many_files",
                violation_error_message=f"At most {MOST_FILES} files are handed in at once.",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True, decided_by__isnull=True)
                | Q(decision__in=["accepted", "returned"], decided_at__isnull=False),
                name="projects_submission_decided",
                violation_error_code="invalid",
                violation_error_message="What was decided says when, and what was not says nothing.",
            ),
        )
        indexes = (models.Index(fields=["submitted_at", "id"], name="projects_submission_by_time"),)

    def __str__(self) -> str:
        return f"{self.milestone_id}, version {self.version_no}"


class SubmissionFile(TimeStampedUUIDModel):
    """A file of a version, and at which place it stands among them."""

    # The unique constraints below begin with the submission.
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="files", db_index=False)
    position = models.PositiveSmallIntegerField()
    asset = models.ForeignKey(FileAsset, on_delete=models.PROTECT, related_name="submissions")

    objects = BaseQuerySet["SubmissionFile"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["submission", "position"],
                name="projects_submissionfile_place_once",
                violation_error_code="conflict",
                violation_error_message="Another file stands at this place.",
            ),
            models.UniqueConstraint(
                fields=["submission", "asset"],
                name="projects_submissionfile_file_once",
                violation_error_code="file_repeated",
                violation_error_message="A file is handed in twice.",
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1),
                name="projects_submissionfile_place_counted",
                violation_error_code="invalid",
                violation_error_message="Places are counted from 1.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.submission_id}: {self.position}"
