"""An import: one file on its way into the records."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, TimeStampedUUIDModel, VersionedModel


class ImportKind(models.TextChoices):
    """What a file holds, and so how it is read."""

    STUDENTS = "students", "Students"
    FACULTY = "faculty", "Faculty"
    DEPARTMENTS = "departments", "Departments"
    PROGRAMS = "programs", "Programs"
    COURSES = "courses", "Courses"
    SECTIONS = "sections", "Sections"
    ENROLLMENTS = "enrollments", "Enrolments"
    ATTENDANCE = "attendance", "Attendance"
    OULAD = "oulad", "Open University Learning Analytics Dataset"
    UIUC_CATALOGUE = "uiuc_catalogue", "University of Illinois course catalogue"
    ONEROSTER = "oneroster", "OneRoster 1.2 CSV package"


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Uploaded"
    VALIDATING = "validating", "Validating"
    VALIDATED = "validated", "Validated"
    APPLYING = "applying", "Applying"
    APPLIED = "applied", "Applied"
    PARTIALLY_APPLIED = "partially_applied", "Partially applied"
    FAILED = "failed", "Failed"
    REVERTING = "reverting", "Reverting"
    REVERTED = "reverted", "Reverted"


# The states in which a step is still to come to its end.
UNFINISHED = (
    ImportState.UPLOADED,
    ImportState.VALIDATING,
    ImportState.APPLYING,
    ImportState.FAILED,
    ImportState.REVERTING,
)
# The states in which what a job has written is in force.
IN_FORCE = (ImportState.APPLIED, ImportState.PARTIALLY_APPLIED)


class ImportJobQuerySet(BaseQuerySet["ImportJob"]):
    def for_api(self) -> Self:
        return self.select_related("actor")


class ImportJob(VersionedModel):
    """One file that somebody wants in the records: what it is, how far it has come, and what came of it.

    `partially_applied` means that every row was tried and some were refused; a job of which every row
    was refused has `failed`. A job that was interrupted keeps its state and goes on where it stopped.
    """

    kind = models.CharField(max_length=20, choices=ImportKind)
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64, help_text="Of the content, so that the same file is recognised.")
    # Under IMPORT_ROOT when it was uploaded; where it lay when a command named it.
    stored_path = models.CharField(max_length=1000, editable=False)
    is_uploaded = models.BooleanField(default=True, editable=False)
    mapping = models.JSONField(default=dict, blank=True, help_text="Column names of the file by our field names.")
    options = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=20, choices=ImportState, default=ImportState.UPLOADED)
    # {"students": {"created": 1, "updated": 0, "unchanged": 2, "rejected": 0}}: expected, then done.
    counts = models.JSONField(default=dict, blank=True)
    rows_total = models.PositiveIntegerField(default=0, help_text="Rows to go through in the present step.")
    rows_done = models.PositiveIntegerField(default=0)
    applied_to = models.PositiveIntegerField(default=0, editable=False, help_text="Position of the last row applied.")
    # Whoever works on a job writes a name here and stops when it finds another: one works on it at a time.
    run_id = models.UUIDField(null=True, blank=True, editable=False)
    rows_read = models.PositiveIntegerField(default=0, help_text="Rows of the imported files.")
    is_reversal_forced = models.BooleanField(default=False, db_default=False, editable=False)
    # {"seconds": 1.5, "peak_mb": 80.0, "counts": {"students": {"deleted": 1, …}}}, once it was taken back.
    reversal = models.JSONField(
        default=dict, db_default=models.Value({}, models.JSONField()), blank=True, editable=False
    )
    has_effect = models.BooleanField(default=False, help_text="It has created or updated something.")
    is_forced = models.BooleanField(default=False, help_text="The same file may be in force twice.")
    errors = models.JSONField(default=list, blank=True, help_text="Why the last step was refused or broke off.")
    remarks = models.JSONField(default=list, blank=True, help_text="What the report says about whole files.")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="import_jobs"
    )
    validated_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    reverted_at = models.DateTimeField(null=True, blank=True)
    seconds = models.DecimalField(max_digits=10, decimal_places=3, default=0, help_text="Spent working on it.")
    peak_mb = models.DecimalField(max_digits=8, decimal_places=1, default=0, help_text="Most memory the work took.")

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "sha256"],
                condition=Q(state=ImportState.APPLIED, has_effect=True, is_forced=False),
                name="interop_importjob_in_force_once",
                violation_error_code="already_imported",
                violation_error_message="An import of the same file is in force; force it to import it again.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ImportKind.values),
                name="interop_importjob_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind of an import is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values),
                name="interop_importjob_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an import is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(rows_done__lte=F("rows_total")),
                name="interop_importjob_progress_in_range",
                violation_error_code="invalid",
                violation_error_message="An import has done no more rows than it has.",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="interop_importjob_latest"),
            models.Index(fields=["kind", "sha256"], name="interop_importjob_by_file"),
            models.Index(fields=["actor", "created_at"], name="interop_importjob_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.file_name}"

    @property
    def percent(self) -> int:
        """How far the present step has come; a step without rows is over at once."""
        if self.rows_total:
            return 100 * self.rows_done // self.rows_total
        return 0 if self.state in UNFINISHED else 100


class ImportJobEvent(TimeStampedUUIDModel):
    """One step of an import from one state to the next, never changed afterwards."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="events")
    from_state = models.CharField(max_length=20, choices=ImportState)
    to_state = models.CharField(max_length=20, choices=ImportState)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = BaseQuerySet["ImportJobEvent"].as_manager()

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
