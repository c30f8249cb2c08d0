"""The catalogue: courses, what they are during a span of time, and what they require."""

from typing import ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, CustomizableModel, TimeStampedUUIDModel, VersionedModel, custom_data_index
from core.search import search_indexes, search_text
from departments.models import Department


class CourseLevel(models.TextChoices):
    PREPARATORY = "preparatory", "Preparatory"
    LOWER_UNDERGRADUATE = "lower_undergraduate", "Lower undergraduate"
    UPPER_UNDERGRADUATE = "upper_undergraduate", "Upper undergraduate"
    GRADUATE = "graduate", "Graduate"
    DOCTORAL = "doctoral", "Doctoral"
    PROFESSIONAL = "professional", "Professional"


class CourseQuerySet(BaseQuerySet["Course"]):
    def for_api(self) -> Self:
        return self.select_related("department", "current_version")


class Course(CustomizableModel):
    """What the catalogue lists under one code, however its content changes over the years."""

    code = models.CharField(max_length=64, help_text="Unique, such as CS101.")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="courses", db_index=False)
    level = models.CharField(max_length=20, choices=CourseLevel, blank=True, help_text="Empty when nobody says.")
    is_active = models.BooleanField(default=True, help_text="An inactive course is no longer offered.")
    # The version in effect. A foreign key is checked at commit, so that both rows can be written or
    # deleted together; the composite one in the migrations says that the version is of this course.
    current_version = models.OneToOneField("courses.CourseVersion", on_delete=models.DO_NOTHING, related_name="+")
    search_text = search_text("code")

    search_paths: ClassVar = ("search_text", "current_version__search_text")

    objects = CourseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="courses_course_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another course has this code.",
            ),
            models.CheckConstraint(
                condition=~Q(code=""),
                name="courses_course_has_code",
                violation_error_code="blank",
                violation_error_message="A course has a code.",
            ),
            models.CheckConstraint(
                condition=Q(level__in=["", *CourseLevel.values]),
                name="courses_course_level_known",
                violation_error_code="invalid_choice",
                violation_error_message="The level of a course is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("courses_course", custom_fields=True),
            custom_data_index("courses_course"),
            models.Index(fields=["department", "code"], name="courses_course_by_department"),
            models.Index(fields=["level", "code"], name="courses_course_by_level"),
            models.Index(fields=["created_at", "id"], name="courses_course_latest"),
        ]

    def __str__(self) -> str:
        return self.code


class CourseVersion(VersionedModel):
    """What a course is called, contains and counts during a span of days; spans do not overlap."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="versions", db_index=False)
    version_no = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, max_length=20_000)
    credits = models.DecimalField(max_digits=5, decimal_places=2)
    credits_max = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="Only of a course with variable credit."
    )
    is_repeatable = models.BooleanField(
        default=False, help_text="A student may take it more than once in one term, such as with varying topics."
    )
    valid = DateRangeField(help_text="First day (inclusive) until last day (exclusive); an open end lasts.")
    search_text = search_text("title")

    search_paths: ClassVar = ("search_text", "course__search_text")

    objects = BaseQuerySet["CourseVersion"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["course", "version_no"],
                name="courses_courseversion_unique_number",
                violation_error_code="edit_conflict",
                violation_error_message="Somebody else has begun a version of this course meanwhile.",
            ),
            # What the composite foreign keys of courses and sections refer to.
            models.UniqueConstraint(
                fields=["id", "course"],
                name="courses_courseversion_identity",
                violation_error_code="conflict",
                violation_error_message="A version is of one course.",
            ),
            ExclusionConstraint(
                name="courses_courseversion_no_overlap",
                expressions=[("course", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                violation_error_code="effective_overlap",
                violation_error_message="Another version of the course is in effect during that time.",
            ),
            models.CheckConstraint(
                condition=Q(valid__isempty=False),
                name="courses_courseversion_has_days",
                violation_error_code="ends_before_start",
                violation_error_message="A version of a course is in effect for a day at least.",
            ),
            models.CheckConstraint(
                condition=Q(credits__gte=0),
                name="courses_courseversion_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="The credits of a course are not negative.",
            ),
            models.CheckConstraint(
                condition=Q(credits_max__isnull=True) | Q(credits_max__gte=F("credits")),
                name="courses_courseversion_credits_ordered",
                violation_error_code="bounds_reversed",
                violation_error_message="The most credits of a course are not less than the least.",
            ),
        ]
        indexes = search_indexes("courses_courseversion")

    def __str__(self) -> str:
        return f"{self.course} {self.title} (version {self.version_no})"


class RequisiteKind(models.TextChoices):
    PREREQUISITE = "pre", "Prerequisite"
    COREQUISITE = "co", "Corequisite"
    ANTIREQUISITE = "anti", "Antirequisite"
    EQUIVALENT = "equivalent", "Equivalent"


class RequisiteQuerySet(BaseQuerySet["Requisite"]):
    def for_api(self) -> Self:
        return self.select_related("course_version__course")


class Requisite(VersionedModel):
    """What a student must have, take beside, or not have, to take a version of a course.

    On record for people to read; whether a student meets it is evaluated nowhere.
    """

    course_version = models.ForeignKey(CourseVersion, on_delete=models.CASCADE, related_name="requisites")
    kind = models.CharField(max_length=10, choices=RequisiteKind)
    # A tree whose inner nodes are {"all": [...]} and {"any": [...]}; the leaves are described in
    # courses.services.requisites, the only writer.
    expr = models.JSONField()

    objects = RequisiteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=RequisiteKind.values),
                name="courses_requisite_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind of a requisite is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.course_version.course}"


class RequisiteCourse(TimeStampedUUIDModel):
    """A course that a requisite names; it cannot be deleted as long as it is named."""

    requisite = models.ForeignKey(Requisite, on_delete=models.CASCADE, related_name="named_courses", db_index=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="named_by")

    objects = BaseQuerySet["RequisiteCourse"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requisite", "course"],
                name="courses_requisitecourse_once",
                violation_error_code="conflict",
                violation_error_message="A requisite refers to a course once.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requisite} names {self.course}"
