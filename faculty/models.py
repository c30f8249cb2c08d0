"""Faculty, and the history of their posts and of their standing.

    accounts.Person 1 --- 0..1 Faculty 1 --- * FacultyAppointment * --- 1 departments.Department
                               Faculty 1 --- * FacultyStatusEvent

The rank and department of a member of faculty are those of today; the appointments tell since when,
and what they were before.
"""

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from accounts.models import Person
from core.models import BaseQuerySet, CustomizableModel, TimeStampedUUIDModel, VersionedModel, custom_data_index
from core.search import search_indexes, search_text
from departments.models import Department, ReservationKind


class Rank(models.TextChoices):
    INSTRUCTOR = "instructor", "Instructor"
    LECTURER = "lecturer", "Lecturer"
    SENIOR_LECTURER = "senior_lecturer", "Senior lecturer"
    ASSISTANT_PROFESSOR = "assistant_professor", "Assistant professor"
    ASSOCIATE_PROFESSOR = "associate_professor", "Associate professor"
    PROFESSOR = "professor", "Professor"
    PROFESSOR_EMERITUS = "professor_emeritus", "Professor emeritus"
    OTHER = "other", "Other"


class EmploymentType(models.TextChoices):
    FULL_TIME = "full_time", "Full time"
    PART_TIME = "part_time", "Part time"
    ADJUNCT = "adjunct", "Adjunct"
    VISITING = "visiting", "Visiting"


class FacultyStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    ON_LEAVE = "on_leave", "On leave"
    SUSPENDED = "suspended", "Suspended"
    RETIRED = "retired", "Retired"
    DEPARTED = "departed", "Departed"


# Who has gone holds no post any more.
GONE = (FacultyStatus.RETIRED, FacultyStatus.DEPARTED)
# Whom the directory lists.
LISTED = (FacultyStatus.ACTIVE, FacultyStatus.ON_LEAVE)


class FacultyQuerySet(BaseQuerySet["Faculty"]):
    def listed(self) -> Self:
        """Those whom the directory shows to everybody."""
        return self.filter(status__in=LISTED)

    def for_api(self) -> Self:
        return self.select_related("person", "department")


class Faculty(CustomizableModel):
    """A person in the part of a teacher or researcher, known by a number that never changes."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="faculty")
    employee_no = models.CharField("employee number", max_length=64, help_text="Unique, and final once it is given.")
    rank = models.CharField(max_length=20, choices=Rank)
    employment_type = models.CharField(max_length=12, choices=EmploymentType, default=EmploymentType.FULL_TIME)
    # The index below that begins with the department serves the key, too.
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="faculty", db_index=False)
    status = models.CharField(max_length=12, choices=FacultyStatus, default=FacultyStatus.ACTIVE)
    fte = models.DecimalField(
        "full-time equivalent", max_digits=4, decimal_places=3, default=1, help_text="1 is a full post; at most 1.5."
    )
    salary = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Gross pay of a year for a full post, in the institution's currency.",
    )
    search_text = search_text("employee_no")

    search_paths: ClassVar = ("search_text", "person__search_text")

    objects = FacultyQuerySet.as_manager()

    class Meta:
        verbose_name = "member of faculty"
        verbose_name_plural = "faculty"
        constraints = [
            models.UniqueConstraint(
                fields=["employee_no"],
                name="faculty_faculty_unique_employee_no",
                violation_error_code="employee_no_taken",
                violation_error_message="Another member of faculty has this number.",
            ),
            models.CheckConstraint(
                condition=~Q(employee_no=""),
                name="faculty_faculty_has_employee_no",
                violation_error_code="blank",
                violation_error_message="A member of faculty has a number.",
            ),
            models.CheckConstraint(
                condition=Q(fte__gt=0, fte__lte=1.5),
                name="faculty_faculty_fte_in_range",
                violation_error_code="fte_out_of_range",
                violation_error_message="The full-time equivalent is above 0 and at most 1.5.",
            ),
            models.CheckConstraint(
                condition=Q(salary__gte=0),
                name="faculty_faculty_salary_not_negative",
                violation_error_code="salary_negative",
                violation_error_message="A salary is not negative.",
            ),
            models.CheckConstraint(
                condition=Q(rank__in=Rank.values),
                name="faculty_faculty_rank_known",
                violation_error_code="invalid_choice",
                violation_error_message="The rank is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(employment_type__in=EmploymentType.values),
                name="faculty_faculty_employment_type_known",
                violation_error_code="invalid_choice",
                violation_error_message="The type of employment is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=FacultyStatus.values),
                name="faculty_faculty_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a member of faculty is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("faculty_faculty", custom_fields=True),
            custom_data_index("faculty_faculty"),
            models.Index(fields=["department", "employee_no"], name="faculty_faculty_by_department"),
            models.Index(fields=["created_at", "id"], name="faculty_faculty_by_creation"),
        ]

    def __str__(self) -> str:
        return self.employee_no


class FacultyAppointmentQuerySet(BaseQuerySet["FacultyAppointment"]):
    def lasting(self) -> Self:
        """Those without an end."""
        return self.filter(valid__upper_inf=True)

    def for_api(self) -> Self:
        return self.select_related("department")


class FacultyAppointment(VersionedModel):
    """The rank that a member of faculty holds in a department for a span of days."""

    faculty = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="appointments")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="faculty_appointments")
    rank = models.CharField(max_length=20, choices=Rank)
    valid = DateRangeField(help_text="First day (inclusive) until last day (exclusive); an open end lasts.")
    starts_on = models.GeneratedField(
        expression=models.Func("valid", function="lower"), output_field=models.DateField(), db_persist=True
    )

    objects = FacultyAppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="faculty_facultyappointment_no_overlap",
                expressions=[
                    ("faculty", RangeOperators.EQUAL),
                    ("department", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                violation_error_code="overlapping_appointment",
                violation_error_message="The member of faculty holds a post in this department during that time.",
            ),
            models.CheckConstraint(
                condition=Q(valid__isempty=False, valid__lower_inf=False),
                name="faculty_facultyappointment_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A post ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(rank__in=Rank.values),
                name="faculty_facultyappointment_rank_known",
                violation_error_code="invalid_choice",
                violation_error_message="The rank of the post is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rank_display()} since {self.valid.lower}"


class FacultyStatusEventQuerySet(BaseQuerySet["FacultyStatusEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor")


class FacultyStatusEvent(TimeStampedUUIDModel):
    """One step of a member of faculty from one status to another, never changed afterwards."""

    # Whoever has a history cannot be deleted.
    faculty = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="status_events", db_index=False)
    from_status = models.CharField(max_length=12, choices=FacultyStatus)
    to_status = models.CharField(max_length=12, choices=FacultyStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = FacultyStatusEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["faculty", "happened_at", "id"], name="faculty_statusevent_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class FacultyReservationQuerySet(BaseQuerySet["FacultyReservation"]):
    def there(self) -> Self:
        """Those for which somebody is wanted, knowingly in two places or not: nothing new is put over any of them."""
        return self.filter(cancelled_at=None)


class FacultyReservation(VersionedModel):
    """A span of time for which a member of the faculty is wanted somewhere: in a class, an examination, a defence.

    What it is for has the id of the row as its `source`, as that of a room has.
    """

    # The indexes below begin with the faculty.
    faculty = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="reservations", db_index=False)
    slot = DateTimeRangeField(help_text="From (inclusive) until (exclusive).")
    kind = models.CharField(max_length=12, choices=ReservationKind)
    what = models.CharField(max_length=200, help_text="What it is for, as whoever wants the person too is told.")
    source = models.UUIDField(editable=False)
    conflict_waived = models.BooleanField(default=False, help_text="Knowingly wanted in two places.")
    cancelled_at = models.DateTimeField(null=True, blank=True)

    objects = FacultyReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="faculty_facultyreservation_free",
                expressions=[("faculty", RangeOperators.EQUAL), ("slot", RangeOperators.OVERLAPS)],
                condition=Q(cancelled_at__isnull=True, conflict_waived=False),
                violation_error_code="person_conflict",
                violation_error_message="The member of faculty is wanted elsewhere at that time.",
            ),
            models.UniqueConstraint(
                fields=["faculty", "source"],
                name="faculty_facultyreservation_once",
                violation_error_code="conflict",
                violation_error_message="The member of faculty is wanted there already.",
            ),
            models.CheckConstraint(
                condition=Q(slot__isempty=False, slot__lower_inf=False, slot__upper_inf=False),
                name="faculty_facultyreservation_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A reservation ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReservationKind.values),
                name="faculty_facultyreservation_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ]
        indexes = [models.Index(fields=["source"], name="faculty_reservation_source")]

    def __str__(self) -> str:
        return f"{self.what}, {self.slot.lower:%Y-%m-%d %H:%M}"
