"""Final projects, who does them, and who supervises them.

    ProjectCycle 1 --- * FinalYearProject 1 --- * ProjectMember * --- 1 students.Student
    faculty.Faculty 1 --- * FinalYearProject * --- 0..1 Topic

Triggers count a member with the project, with its topic, and where its supervisor said how many they take
(`SupervisorCapacity`), so that none of these numbers is exceeded, however quick somebody is.
"""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, VersionedModel
from faculty.models import Faculty
from projects.kinds import Kind, register
from projects.models.cycles import ProjectCycle, Topic
from projects.models.details import ProjectDetails, belongs_to, given, is_of_type, type_of_project
from students.models import Student

TABLE = "projects_finalyearproject"


class FinalYearProject(ProjectDetails):
    """What some students of a cycle work on, under whose supervision, known by a code such as P26001."""

    project = belongs_to("final_year_data")
    project_type = type_of_project("final_year")
    code = models.CharField(max_length=16, help_text="P, the year in two digits, and a number; final once it is given.")
    # Composite foreign keys and the constraints below begin with these columns, or say that what they name is there.
    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="projects")
    supervisor = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="supervised_projects")
    topic = models.ForeignKey(
        Topic, on_delete=models.PROTECT, null=True, blank=True, related_name="projects", db_constraint=False
    )
    topic_local = models.CharField(max_length=255, help_text="In the language of instruction.")
    topic_en = models.CharField(max_length=255, blank=True, help_text="In English.")
    member_count = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = BaseQuerySet["FinalYearProject"].as_manager()

    class Meta:
        constraints = (
            is_of_type(TABLE, "final_year"),
            given(TABLE, "topic_local", "Topic"),
            models.UniqueConstraint(
                fields=["code"],
                name="projects_finalyearproject_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another project has this code.",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^P[0-9]{5,}$"),
                name="projects_finalyearproject_code_spelled",
                violation_error_code="invalid",
                violation_error_message="A code is P, the year in two digits, and a number of three digits or more.",
            ),
            # What the composite foreign key of a member refers to.
            models.UniqueConstraint(
                fields=["project", "cycle", "supervisor"],
                name="projects_finalyearproject_identity",
                violation_error_code="conflict",
                violation_error_message="A project has one cycle and one supervisor.",
            ),
        )

    def __str__(self) -> str:
        return self.code


FINAL_YEAR = register(
    Kind(
        project_type="final_year",
        label="final-year project",
        model=FinalYearProject,
        details="final_year_data",
        resource="final_year_projects",
        fields=("code", "topic_local", "topic_en", "member_count"),
        filtered=("code",),
        searched=("topic_local", "topic_en"),
        is_written_apart=True,
    )
)


class ProjectMemberQuerySet(BaseQuerySet["ProjectMember"]):
    def active(self) -> Self:
        """Those who have not left."""
        return self.filter(is_active=True)

    def for_api(self) -> Self:
        return self.select_related("student__person", "project__project", "supervisor__person")


class ProjectMember(VersionedModel):
    """A student in the group that does a final project; one who has left is not active any more."""

    # A composite foreign key says that the project is of this cycle and supervisor, and follows it to another.
    project = models.ForeignKey(
        FinalYearProject, on_delete=models.PROTECT, related_name="members", db_constraint=False, db_index=False
    )
    cycle = models.ForeignKey(
        ProjectCycle, on_delete=models.PROTECT, related_name="members", db_constraint=False, editable=False
    )
    supervisor = models.ForeignKey(
        Faculty, on_delete=models.PROTECT, related_name="+", db_constraint=False, editable=False
    )
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="project_memberships", db_index=False)
    is_active = models.BooleanField(default=True)
    contribution = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="How much of the work is theirs, in per cent; empty as long as nobody has said.",
    )

    objects = ProjectMemberQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["student", "cycle"],
                condition=Q(is_active=True),
                name="projects_projectmember_one_active",
                violation_error_code="already_in_project",
                violation_error_message="The student does a project in this cycle already.",
            ),
            models.UniqueConstraint(
                fields=["project", "student"],
                name="projects_projectmember_once",
                violation_error_code="member_taken",
                violation_error_message="The student is a member of this project already, or was.",
            ),
            models.CheckConstraint(
                condition=Q(contribution__isnull=True) | Q(contribution__gte=0, contribution__lte=100),
                name="projects_projectmember_contribution_in_range",
                violation_error_code="contribution_out_of_range",
                violation_error_message="A contribution lies between 0 and 100 per cent.",
            ),
        )
        indexes = (
            models.Index(fields=["student", "created_at", "id"], name="projects_member_by_student"),
            models.Index(fields=["created_at", "id"], name="projects_member_by_creation"),
        )

    def __str__(self) -> str:
        return f"{self.student} in {self.project_id}"
