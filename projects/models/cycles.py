"""The year's final projects of a program: when what happens, what is offered, and how many anybody takes.

departments.Program 1 --- * ProjectCycle * --- 1 departments.AcademicYear
                            ProjectCycle 1 --- * SupervisorCapacity * --- 1 faculty.Faculty
                            ProjectCycle 1 --- * Topic * --- 1 faculty.Faculty
"""

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, VersionedModel
from departments.models import AcademicYear, Program
from faculty.models import Faculty

LARGEST_GROUP = 20
MOST_PREFERENCES = 30
# More than any office could look at by itself.
MOST_PLACES = 500


class CyclePhase(models.TextChoices):
    """What the days of a cycle are for, one after the other."""

    PLANNED = "planned", "Planned"
    TOPICS = "topics", "Topics are offered"
    PREFERENCES = "preferences", "Students say what they prefer"
    WORK = "work", "Topics are allocated and worked on"
    DEFENCES = "defences", "Projects are defended"
    OVER = "over", "Over"


class ProjectCycleQuerySet(BaseQuerySet["ProjectCycle"]):
    def for_api(self) -> Self:
        return self.select_related("program", "academic_year")


class ProjectCycle(VersionedModel):
    """The final projects that the students of a program do in one academic year.

    Each phase lasts until the instant at which the next one begins.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="project_cycles", db_index=False)
    academic_year = models.ForeignKey(AcademicYear, on_delete=models.PROTECT, related_name="project_cycles")
    name = models.CharField(max_length=120)
    topics_open_at = models.DateTimeField(help_text="From when topics are offered.")
    preferences_open_at = models.DateTimeField(help_text="From when students say which topics they prefer.")
    preferences_close_at = models.DateTimeField(help_text="From when they do so no more, and topics are allocated.")
    defences_open_at = models.DateTimeField(help_text="From when projects are defended.")
    ends_at = models.DateTimeField()
    min_group_size = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
    max_group_size = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(LARGEST_GROUP)]
    )
    most_preferences = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PREFERENCES)],
        help_text="How many topics a student names at most.",
    )
    pass_mark = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(70),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="Per cent from which a project has passed.",
    )
    conditional_pass_mark = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(60),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text="Per cent from which a project passes once it is revised.",
    )

    objects = ProjectCycleQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["program", "academic_year"],
                name="projects_projectcycle_once_a_year",
                violation_error_code="cycle_taken",
                violation_error_message="The program has a cycle of that year.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="projects_projectcycle_named",
                violation_error_code="blank",
                violation_error_message="A cycle has a name.",
            ),
            models.CheckConstraint(
                condition=Q(
                    topics_open_at__lte=F("preferences_open_at"),
                    preferences_open_at__lt=F("preferences_close_at"),
                    preferences_close_at__lte=F("defences_open_at"),
                    defences_open_at__lt=F("ends_at"),
                ),
                name="projects_projectcycle_phases_in_turn",
                violation_error_code="phases_out_of_turn",
                violation_error_message="Topics open, then preferences, which close; then defences, then it is over.",
            ),
            models.CheckConstraint(
                condition=Q(
                    min_group_size__gte=1, min_group_size__lte=F("max_group_size"), max_group_size__lte=LARGEST_GROUP
                ),
                name="projects_projectcycle_group_sizes",
                violation_error_code="group_size_out_of_range",
                violation_error_message=f"A group has from 1 to {LARGEST_GROUP} members, the most not below the least.",
            ),
            models.CheckConstraint(
                condition=Q(most_preferences__gte=1, most_preferences__lte=MOST_PREFERENCES),
                name="projects_projectcycle_preferences_in_range",
                violation_error_code="preferences_out_of_range",
                violation_error_message=f"Students name between 1 and {MOST_PREFERENCES} topics.",
            ),
            models.CheckConstraint(
                condition=Q(
                    conditional_pass_mark__gte=0, conditional_pass_mark__lte=F("pass_mark"), pass_mark__lte=100
                ),
                name="projects_projectcycle_marks_in_order",
                violation_error_code="pass_marks_out_of_order",
                violation_error_message="A project passes from a mark up to 100, and on condition from no higher one.",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="projects_cycle_by_creation"),)

    def __str__(self) -> str:
        return self.name

    def phase(self, at: datetime) -> CyclePhase:
        """Return what an instant is for."""
        begins = (
            (self.ends_at, CyclePhase.OVER),
            (self.defences_open_at, CyclePhase.DEFENCES),
            (self.preferences_close_at, CyclePhase.WORK),
            (self.preferences_open_at, CyclePhase.PREFERENCES),
            (self.topics_open_at, CyclePhase.TOPICS),
        )
        return next((phase for begin, phase in begins if at >= begin), CyclePhase.PLANNED)


class SupervisorRole(models.TextChoices):
    SUPERVISOR = "supervisor", "Supervisor"
    MAIN = "main", "Main examiner"
    SECOND = "second", "Second examiner"
    THIRD = "third", "Third examiner"


class SupervisorCapacityQuerySet(BaseQuerySet["SupervisorCapacity"]):
    def for_api(self) -> Self:
        return self.select_related("faculty__person", "cycle")


class SupervisorCapacity(VersionedModel):
    """How many a member of faculty takes in a cycle: students as a supervisor, projects as an examiner."""

    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="capacities", db_index=False)
    faculty = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="project_capacities")
    role = models.CharField(max_length=10, choices=SupervisorRole, default=SupervisorRole.SUPERVISOR)
    max_count = models.PositiveSmallIntegerField(validators=[MaxValueValidator(MOST_PLACES)])
    used_count = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)

    objects = SupervisorCapacityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "supervisor capacities"
        constraints = (
            models.UniqueConstraint(
                fields=["cycle", "faculty", "role"],
                name="projects_supervisorcapacity_once",
                violation_error_code="capacity_taken",
                violation_error_message="It is said already how many they take in this cycle in that role.",
            ),
            models.CheckConstraint(
                condition=Q(used_count__gte=0, used_count__lte=F("max_count")),
                name="projects_supervisorcapacity_not_exceeded",
                violation_error_code="quota_exceeded",
                violation_error_message="The member of faculty takes no more in this cycle.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=SupervisorRole.values),
                name="projects_supervisorcapacity_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role is not one of the known ones.",
            ),
        )
        indexes = (models.Index(fields=["created_at", "id"], name="projects_capacity_by_creation"),)

    def __str__(self) -> str:
        return f"{self.faculty} as {self.get_role_display().lower()}: {self.max_count}"


class TopicQuerySet(BaseQuerySet["Topic"]):
    def for_api(self) -> Self:
        return self.select_related("supervisor__person", "cycle")


class Topic(VersionedModel):
    """What somebody offers to supervise in a cycle, and for how many students."""

    cycle = models.ForeignKey(ProjectCycle, on_delete=models.PROTECT, related_name="topics", db_index=False)
    supervisor = models.ForeignKey(Faculty, on_delete=models.PROTECT, related_name="project_topics")
    title_local = models.CharField(max_length=255, help_text="In the language of instruction.")
    title_en = models.CharField(max_length=255, blank=True, help_text="In English.")
    description = models.TextField(max_length=5000, blank=True)
    places = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_PLACES)], help_text="For so many students."
    )
    taken_count = models.PositiveSmallIntegerField(
        default=0, db_default=0, editable=False, help_text="So many students do it."
    )
    is_offered = models.BooleanField(default=True, help_text="Whether students may still prefer it.")

    objects = TopicQuerySet.as_manager()

    class Meta:
        constraints = (
            # What the composite foreign key of a preference refers to.
            models.UniqueConstraint(
                fields=["id", "cycle"],
                name="projects_topic_identity",
                violation_error_code="conflict",
                violation_error_message="A topic is offered in one cycle.",
            ),
            models.CheckConstraint(
                condition=~Q(title_local=""),
                name="projects_topic_titled",
                violation_error_code="blank",
                violation_error_message="A topic has a title.",
            ),
            models.CheckConstraint(
                condition=Q(places__gte=1, places__lte=MOST_PLACES),
                name="projects_topic_places_in_range",
                violation_error_code="places_out_of_range",
                violation_error_message=f"A topic is for between 1 and {MOST_PLACES} students.",
            ),
            models.CheckConstraint(
                condition=Q(taken_count__gte=0, taken_count__lte=F("places")),
                name="projects_topic_not_exceeded",
                violation_error_code="topic_full",
                violation_error_message="The topic has no place left.",
            ),
        )
        indexes = (
            models.Index(fields=["cycle", "created_at", "id"], name="projects_topic_by_cycle"),
            models.Index(fields=["created_at", "id"], name="projects_topic_by_creation"),
        )

    def __str__(self) -> str:
        return self.title_local
