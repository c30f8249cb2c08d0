"""What is offered in a term: sections, who teaches them, and the steps of their status."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, JSONObject

from core.models import BaseQuerySet, CustomizableModel, TimeStampedUUIDModel, VersionedModel, custom_data_index
from core.search import search_indexes, search_text
from courses.models.catalogue import Course, CourseVersion
from courses.models.timetable import MeetingSection
from departments.models import Campus, Term
from faculty.models import Faculty

MOST_SEATS = 100_000


class SectionStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    IN_PROGRESS = "in_progress", "In progress"
    GRADING = "grading", "Grading"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class SectionMode(models.TextChoices):
    IN_PERSON = "in_person", "In person"
    ONLINE = "online", "Online"
    HYBRID = "hybrid", "Hybrid"
    INDEPENDENT = "independent", "Independent study"


class SectionQuerySet(BaseQuerySet["Section"]):
    def for_api(self) -> Self:
        instructors = SectionInstructor.objects.filter(section=OuterRef("pk")).order_by("-share", "pk")
        meetings = MeetingSection.objects.filter(section=OuterRef("pk")).order_by(
            "meeting__weekday", "meeting__starts_at", "meeting_id"
        )
        return self.select_related("course", "course_version", "term", "campus").annotate(
            instructor_rows=ArraySubquery(instructors.as_json()), meeting_rows=ArraySubquery(meetings.as_json())
        )


class Section(CustomizableModel):
    """One offering of a course in a term: what students enrol in."""

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="sections")
    course_version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="sections")
    # The index of the unique code begins with the term.
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="sections", db_index=False)
    code = models.CharField(max_length=64, help_text="Unique within the course and term, such as 01.")
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, null=True, blank=True, related_name="sections")
    status = models.CharField(max_length=12, choices=SectionStatus, default=SectionStatus.PLANNED)
    mode = models.CharField(max_length=12, choices=SectionMode, default=SectionMode.IN_PERSON)
    capacity = models.PositiveIntegerField(validators=[MaxValueValidator(MOST_SEATS)])
    override_seats = models.PositiveIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(MOST_SEATS)],
        help_text="Seats beyond the capacity that somebody has granted, or that history shows were taken.",
    )
    waitlist_capacity = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(MOST_SEATS)])
    # Kept by the database: triggers on the tables that hold and take seats.
    enrolled_count = models.IntegerField(default=0, db_default=0, editable=False)
    held_count = models.IntegerField(default=0, db_default=0, editable=False)
    waitlisted_count = models.IntegerField(default=0, db_default=0, editable=False)
    search_text = search_text("code")

    search_paths: ClassVar = ("search_text", "course__search_text", "course_version__search_text")
    in_sql: ClassVar = {"seats_left": lambda of: (_seats_left(of), models.IntegerField())}

    objects = SectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["term", "course", "code"],
                name="courses_section_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another section of this course has this code in this term.",
            ),
            # What the composite foreign key of an enrolment refers to.
            models.UniqueConstraint(
                fields=["id", "course", "term"],
                name="courses_section_identity",
                violation_error_code="conflict",
                violation_error_message="A section has one course and one term.",
            ),
            models.CheckConstraint(
                condition=~Q(code=""),
                name="courses_section_has_code",
                violation_error_code="blank",
                violation_error_message="A section has a code.",
            ),
            models.CheckConstraint(
                condition=Q(enrolled_count__gte=0, held_count__gte=0, waitlisted_count__gte=0),
                name="courses_section_counts_not_negative",
                violation_error_code="negative_count",
                violation_error_message="A section has no fewer than zero students.",
            ),
            models.CheckConstraint(
                condition=Q(enrolled_count__lte=F("capacity") + F("override_seats") - F("held_count")),
                name="courses_section_seats",
                violation_error_code="section_full",
                violation_error_message="The section is full.",
            ),
            models.CheckConstraint(
                condition=Q(waitlisted_count__lte=F("waitlist_capacity")),
                name="courses_section_waitlist_seats",
                violation_error_code="waitlist_full",
                violation_error_message="The waiting list is full.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SectionStatus.values),
                name="courses_section_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status of a section is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=SectionMode.values),
                name="courses_section_mode_known",
                violation_error_code="invalid_choice",
                violation_error_message="The mode of a section is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("courses_section", custom_fields=True),
            custom_data_index("courses_section"),
            models.Index(fields=["term", "status"], name="courses_section_by_status"),
            models.Index(fields=["created_at", "id"], name="courses_section_latest"),
            # None by `enrolled_count`: every enrolment would have to change it.
            models.Index(fields=["code", "id"], name="courses_section_by_code"),
            models.Index(fields=["capacity", "id"], name="courses_section_by_capacity"),
        ]

    def __str__(self) -> str:
        return f"{self.course}-{self.code}, {self.term}"

    @property
    def seats_left(self) -> int:
        """How many more students may enrol."""
        return self.capacity + self.override_seats - self.enrolled_count - self.held_count


def _seats_left(of: str) -> Combinable:
    """Return `Section.seats_left` as SQL."""
    return F(f"{of}capacity") + F(f"{of}override_seats") - F(f"{of}enrolled_count") - F(f"{of}held_count")


class InstructorRole(models.TextChoices):
    PRIMARY = "primary", "Primary"
    CO = "co", "Co-instructor"
    TEACHING_ASSISTANT = "ta", "Teaching assistant"


class SectionInstructorQuerySet(BaseQuerySet["SectionInstructor"]):
    def as_json(self) -> "models.QuerySet[SectionInstructor, Any]":
        """Return each row as the object that a section shows of it."""
        instructor = JSONObject(
            id="faculty_id", first_name="faculty__person__first_name", last_name="faculty__person__last_name",
            preferred_name="faculty__person__preferred_name",
        )  # fmt: skip
        # As text, because a JSON number would be read as a float.
        return self.values(json=JSONObject(faculty=instructor, role="role", share=Cast("share", TextField())))


class SectionInstructor(VersionedModel):
    """A member of the faculty who teaches a section, and the share of its load they carry."""

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="section_instructors", db_index=False)
    faculty = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="taught_sections")
    role = models.CharField(max_length=8, choices=InstructorRole, default=InstructorRole.PRIMARY)
    share = models.DecimalField(max_digits=5, decimal_places=2, help_text="Per cent of the load; all together 100.")

    objects = SectionInstructorQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["section", "faculty"],
                name="courses_sectioninstructor_once",
                violation_error_code="duplicate_instructor",
                violation_error_message="The section has this instructor already.",
            ),
            models.UniqueConstraint(
                fields=["section"],
                condition=Q(role="primary"),
                name="courses_sectioninstructor_one_primary",
                violation_error_code="second_primary_instructor",
                violation_error_message="A section has one primary instructor.",
            ),
            models.CheckConstraint(
                condition=Q(share__gte=0, share__lte=100),
                name="courses_sectioninstructor_share_in_range",
                violation_error_code="shares_not_100",
                violation_error_message="A share of a section is between 0 and 100 per cent.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=InstructorRole.values),
                name="courses_sectioninstructor_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role of an instructor is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.faculty} teaches {self.section}"


class SectionStatusEvent(TimeStampedUUIDModel):
    """One step of a section from one status to another. It is never changed, and goes only with its section."""

    section = models.ForeignKey(Section, on_delete=models.CASCADE, related_name="status_events")
    from_status = models.CharField(max_length=12, choices=SectionStatus)
    to_status = models.CharField(max_length=12, choices=SectionStatus)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    objects = BaseQuerySet["SectionStatusEvent"].as_manager()

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
