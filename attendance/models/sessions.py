"""The dated sessions of sections.

    courses.Meeting 1 --- * ClassSession * --- 1 courses.Section
    ClassSession.gathering = departments.RoomReservation.source = faculty.FacultyReservation.source

Sections that are taught together have a session each and one gathering: it is the gathering that has a room and
teachers, so they do not clash with one another.
"""

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from attendance.models.sheets import SheetCounts
from core.models import BaseQuerySet, VersionedModel
from courses.models import Meeting, Section
from departments.models import Room
from faculty.models import Faculty


class SessionStatus(models.TextChoices):
    SCHEDULED = "scheduled", "Scheduled"
    CANCELLED = "cancelled", "Cancelled"


class Marking(models.TextChoices):
    """What has become of the sheet on which the students of a session are marked."""

    SCHEDULED = "scheduled", "Scheduled"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    LOCKED = "locked", "Locked"


class ClassSessionQuerySet(BaseQuerySet["ClassSession"]):
    def for_api(self) -> Self:
        rows = self.select_related("section__course", "section__term", "room__building", "substitute__person")
        return rows.annotate(counts=SheetCounts.of())


class ClassSession(VersionedModel):
    """One class of a section on one day: when it begins and ends, where, and whether it takes place.

    `planned_on` is the day that the weekly timetable has it on, and stays when it is moved to another. One whose
    meeting was taken off the timetable has none any more; if it is yet to come, it goes when sessions are generated
    again. The local date is that of the campus when it begins.
    """

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="class_sessions", db_index=False)
    meeting = models.ForeignKey(
        Meeting, on_delete=models.SET_NULL, null=True, blank=True, related_name="class_sessions"
    )
    gathering = models.UUIDField(editable=False)
    planned_on = models.DateField(editable=False)
    local_date = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="class_sessions")
    status = models.CharField(max_length=10, choices=SessionStatus, default=SessionStatus.SCHEDULED)
    marking = models.CharField(
        max_length=9,
        choices=Marking,
        default=Marking.SCHEDULED,
        db_default=Marking.SCHEDULED,
        help_text="Whether the students are being marked, or have been.",
    )
    changed_by_hand = models.BooleanField(
        default=False, editable=False,
        help_text="Moved, cancelled or brought back by somebody: the timetable leaves it as it is.",
    )  # fmt: skip
    note = models.CharField(max_length=500, blank=True, help_text="Why it was moved, cancelled or brought back.")
    lock_note = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="Why the sheet was locked, unlocked since, opened again, or changed while it was closed.",
    )

    # Apart from the version, which counts what happens on the sheet as well: calendars are told of these alone.
    revision = models.PositiveIntegerField(
        default=0, db_default=0, editable=False,
        help_text="How often it was moved, cancelled or brought back; the database counts.",
    )  # fmt: skip
    revised_at = models.DateTimeField(null=True, editable=False, help_text="When that was at last.")

    # Follows from the accepted substitution of the session, and is written along with it.
    substitute = models.ForeignKey(
        Faculty, on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="stands_in_at",
        db_index=False, help_text="Who teaches it in the place of its teacher.",
    )  # fmt: skip

    # How many who are expected are marked with what: of rows that are loaded to be shown.
    in_sql: ClassVar = {"counts": lambda of: (SheetCounts.of(of), models.TextField())}

    objects = ClassSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["section", "gathering"],
                name="attendance_classsession_once",
                violation_error_code="duplicate_session",
                violation_error_message="The section has this session already.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="attendance_classsession_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A session ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("starts_at") + timedelta(days=1)),
                name="attendance_classsession_within_a_day",
                violation_error_code="session_too_long",
                violation_error_message="A session lasts a day at most.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SessionStatus.values),
                name="attendance_classsession_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(marking__in=Marking.values),
                name="attendance_classsession_marking_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of the marking is not one of the known ones.",
            ),
            # What the composite foreign key of a record refers to.
            models.UniqueConstraint(
                fields=["id", "section", "local_date"],
                name="attendance_classsession_identity",
                violation_error_code="conflict",
                violation_error_message="A session has one section and one date.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["section", "starts_at"],
                include=["id", "ends_at", "status", "local_date"],
                name="attendance_session_by_section",
            ),
            models.Index(fields=["starts_at", "id"], name="attendance_session_by_time"),
            models.Index(fields=["gathering"], name="attendance_session_gathering"),
            models.Index(
                fields=["substitute"], condition=Q(substitute__isnull=False), name="attendance_session_stand_in"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.section}, {self.local_date}"


class Roster(ClassSession):
    """A session as those see it who mark its students: others than those who move and cancel it."""

    class Meta:
        proxy = True


class SheetHistory(ClassSession):
    """A session as those see it who may know what happened on its sheet: by whom it was marked, when and why."""

    class Meta:
        proxy = True
