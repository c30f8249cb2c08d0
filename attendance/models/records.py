"""Who was marked with what: tens of millions of rows a year, kept by month."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.codes import AttendanceCode
from attendance.models.sessions import ClassSession
from core.models import BaseQuerySet, TimeStampedUUIDModel
from courses.models import Section
from enrollment.models import Enrollment

MOST_MINUTES = 24 * 60


class Source(models.TextChoices):
    """Where a mark comes from, from the weakest: none replaces one that comes from further below."""

    IMPORT = "import", "Import"
    READER = "reader", "Reader"
    QR = "qr", "QR code"
    MANUAL = "manual", "Manual"
    EXCUSE = "excuse", "Excuse"


# A reader and a QR code are as good as each other.
RANKS = {Source.IMPORT: 0, Source.READER: 1, Source.QR: 1, Source.MANUAL: 2, Source.EXCUSE: 3}


class AttendanceRecordQuerySet(BaseQuerySet["AttendanceRecord"]):
    def for_api(self) -> Self:
        return self.select_related("code", "enrollment__student__person", "session__section__course")


class AttendanceRecord(TimeStampedUUIDModel):
    """What one student was marked with in one session. Whoever has none was not marked.

    The database knows it by its id and the month of its date. The date is the session's, and the section that of the
    session and of the enrolment: composite foreign keys in the migrations say so.
    """

    session = models.ForeignKey(
        ClassSession, on_delete=models.PROTECT, related_name="records", db_index=False, db_constraint=False
    )
    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.PROTECT, related_name="attendance_records", db_index=False, db_constraint=False
    )
    local_date = models.DateField()
    code = models.ForeignKey(AttendanceCode, on_delete=models.PROTECT, related_name="records", db_index=False)
    minutes_late = models.PositiveSmallIntegerField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.MANUAL)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="Empty where no person did.",
    )  # fmt: skip
    marked_at = models.DateTimeField()
    client_id = models.UUIDField(null=True, blank=True, help_text="How the client that sent it calls what it sent.")

    objects = AttendanceRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "enrollment", "local_date"],
                name="attendance_attendancerecord_once",
                violation_error_code="duplicate_record",
                violation_error_message="The student is marked in this session already.",
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values),
                name="attendance_attendancerecord_source_known",
                violation_error_code="invalid_choice",
                violation_error_message="The source is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(minutes_late__isnull=True) | Q(minutes_late__gte=0, minutes_late__lte=MOST_MINUTES),
                name="attendance_attendancerecord_late_within_a_day",
                violation_error_code="late_out_of_range",
                violation_error_message="Nobody is late by more than a day.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["enrollment", "local_date"], include=["session", "code"], name="attendance_record_of_student"
            ),
            models.Index(
                fields=["section", "local_date"],
                include=["session", "enrollment", "code"],
                name="attendance_record_of_section",
            ),
            models.Index(fields=["code"], name="attendance_record_by_code"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} on {self.local_date}"
