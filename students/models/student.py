"""Who studies here, and the steps of their standing with the university."""

from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import FilteredRelation, Q

from accounts.models import Person
from core.models import BaseQuerySet, CustomizableModel, TimeStampedUUIDModel, custom_data_index
from core.search import search_indexes, search_text
from core.security.fields import EncryptedTextField
from departments.models import Department


class StudentStatus(models.TextChoices):
    APPLICANT = "applicant", "Applicant"
    ADMITTED = "admitted", "Admitted"
    ACTIVE = "active", "Active"
    LEAVE_OF_ABSENCE = "leave_of_absence", "On leave of absence"
    SUSPENDED = "suspended", "Suspended"
    WITHDRAWN = "withdrawn", "Withdrawn"
    DISMISSED = "dismissed", "Dismissed"
    GRADUATED = "graduated", "Graduated"


# Who is here. A suspension is nobody's business: whoever is suspended stays where they were to be found.
PRESENT = (StudentStatus.ACTIVE, StudentStatus.LEAVE_OF_ABSENCE, StudentStatus.SUSPENDED)


class ContactChannel(models.TextChoices):
    EMAIL = "email", "E-mail"
    PHONE = "phone", "Phone"
    TEXT = "text", "Text message"
    POST = "post", "Post"


class StudentQuerySet(BaseQuerySet["Student"]):
    def with_program(self) -> Self:
        """Load the primary program enrolment, if there is one, as `primary_enrollment`."""
        primary = FilteredRelation("program_enrollments", condition=Q(program_enrollments__is_primary=True))
        return self.annotate(primary_enrollment=primary).select_related("primary_enrollment__program")

    def for_api(self) -> Self:
        return self.with_program().select_related("person", "department", "advisor")


class Student(CustomizableModel):
    """A person in the part of a student, known by a number that never changes."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="student")
    student_no = models.CharField("student number", max_length=64, help_text="Unique, and final once it is issued.")
    status = models.CharField(max_length=16, choices=StudentStatus, default=StudentStatus.ACTIVE)
    # The index below that begins with the department serves the key, too.
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="students", db_index=False)
    advisor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="advisees")
    admitted_on = models.DateField(null=True, blank=True)
    preferred_contact = models.CharField(max_length=8, choices=ContactChannel, default=ContactChannel.EMAIL)
    home_address = models.TextField(blank=True, db_default="", validators=[MaxLengthValidator(500)])
    # Tells of a disability more often than not, so it is kept encrypted.
    accommodation_note = EncryptedTextField(
        max_length=2000, null=True, blank=True, help_text="What the student is granted, such as more time in exams."
    )
    directory_opt_out = models.BooleanField(
        default=False, db_default=False, help_text="The student is in no directory: nobody finds them without a reason."
    )
    search_text = search_text("student_no")

    search_paths: ClassVar = ("search_text", "person__search_text")

    objects = StudentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["student_no"],
                name="students_student_unique_student_no",
                violation_error_code="student_no_taken",
                violation_error_message="Another student has this number.",
            ),
            models.CheckConstraint(
                condition=~Q(student_no=""),
                name="students_student_has_student_no",
                violation_error_code="blank",
                violation_error_message="A student has a number.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=StudentStatus.values),
                name="students_student_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(preferred_contact__in=ContactChannel.values),
                name="students_student_contact_known",
                violation_error_code="invalid_choice",
                violation_error_message="The preferred contact is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("students_student", custom_fields=True),
            custom_data_index("students_student"),
            models.Index(fields=["department", "student_no"], name="students_student_by_department"),
            models.Index(fields=["status", "student_no"], name="students_student_by_status"),
            models.Index(fields=["admitted_on", "id"], name="students_student_by_admission"),
            models.Index(fields=["created_at", "id"], name="students_student_by_creation"),
        ]

    def __str__(self) -> str:
        return self.student_no


class StudentStatusEventQuerySet(BaseQuerySet["StudentStatusEvent"]):
    def for_api(self) -> Self:
        return self.select_related("actor", "student")


class StudentStatusEvent(TimeStampedUUIDModel):
    """One step of a student from one status to another, never changed afterwards."""

    # A student with a history cannot be deleted.
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="status_events", db_index=False)
    from_status = models.CharField(max_length=16, choices=StudentStatus)
    to_status = models.CharField(max_length=16, choices=StudentStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = StudentStatusEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["student", "happened_at", "id"], name="students_statusevent_history")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
