"""Departments, who leads them, and the programs they offer."""

from collections.abc import Iterable
from typing import ClassVar, Self
from uuid import UUID

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import JSONObject, Now, TruncDate

from accounts.models import Person
from core.models import BaseQuerySet, CustomizableModel, VersionedModel, custom_data_index
from core.search import search_indexes, search_text


class DepartmentKind(models.TextChoices):
    INSTITUTION = "institution", "Institution"
    COLLEGE = "college", "College"
    SCHOOL = "school", "School"
    DEPARTMENT = "department", "Department"
    OFFICE = "office", "Office"


class DepartmentQuerySet(BaseQuerySet["Department"]):
    def within(self, ids: Iterable[UUID]) -> Self:
        """The named departments and everything below them."""
        return self.filter(lineage__overlap=list(ids))

    def for_api(self) -> Self:
        heads = Appointment.objects.current().filter(department=OuterRef("pk"), role=AppointmentRole.HEAD)
        person = JSONObject(
            id="person_id", first_name="person__first_name", last_name="person__last_name",
            preferred_name="person__preferred_name",
        )  # fmt: skip
        return self.select_related("parent").annotate(head=Subquery(heads.values(json=person)))


class Department(CustomizableModel):
    """A node of the institution's tree: a college, a school, a department, an office."""

    code = models.CharField(max_length=64, help_text="Short, unique, stable: what other systems know it by.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=DepartmentKind, default=DepartmentKind.DEPARTMENT)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    is_active = models.BooleanField(default=True)
    # The ids from the root down to this row, kept by a trigger that also refuses cycles.
    lineage = ArrayField(models.UUIDField(), editable=False, default=list, db_default=[])
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="departments_department_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another department has this code.",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("id")),
                name="departments_department_not_own_parent",
                violation_error_code="department_cycle",
                violation_error_message="A department cannot lie below itself.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DepartmentKind.values),
                name="departments_department_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ]
        indexes = [
            *search_indexes("departments_department", custom_fields=True),
            custom_data_index("departments_department"),
            GinIndex(fields=["lineage"], name="departments_dept_lineage"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class AppointmentRole(models.TextChoices):
    HEAD = "head", "Head"
    DEPUTY = "deputy", "Deputy head"
    COORDINATOR = "coordinator", "Coordinator"


class AppointmentQuerySet(BaseQuerySet["Appointment"]):
    def current(self) -> Self:
        """Those in force today, by the database's clock, where the institution is."""
        return self.filter(valid__contains=TruncDate(Now()))

    def for_api(self) -> Self:
        return self.select_related("department", "person")


class Appointment(VersionedModel):
    """A person's office in a department for a span of days; who led it before stays on record."""

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="appointments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="appointments")
    role = models.CharField(max_length=12, choices=AppointmentRole)
    valid = DateRangeField(help_text="First day (inclusive) until last day (exclusive); an open end lasts.")

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="departments_appointment_one_head",
                expressions=[("department", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(role="head"),
                violation_error_code="overlapping_appointment",
                violation_error_message="The department already has a head during that time.",
            ),
            ExclusionConstraint(
                name="departments_appointment_no_overlap",
                expressions=[
                    ("department", RangeOperators.EQUAL),
                    ("person", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                violation_error_code="overlapping_appointment",
                violation_error_message="The person already holds this office during that time.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=AppointmentRole.values),
                name="departments_appointment_role_known",
                violation_error_code="invalid_choice",
                violation_error_message="The role is not one of the known ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.department}"


class ProgramLevel(models.TextChoices):
    CERTIFICATE = "certificate", "Certificate"
    ASSOCIATE = "associate", "Associate"
    BACHELOR = "bachelor", "Bachelor"
    MASTER = "master", "Master"
    DOCTORATE = "doctorate", "Doctorate"


class ProgramQuerySet(BaseQuerySet["Program"]):
    def for_api(self) -> Self:
        return self.select_related("department")


class Program(VersionedModel):
    """A path of study that ends in an award."""

    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    level = models.CharField(max_length=12, choices=ProgramLevel)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="programs")
    total_credits = models.DecimalField(max_digits=5, decimal_places=2)
    is_active = models.BooleanField(default=True)
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="departments_program_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another program has this code.",
            ),
            models.CheckConstraint(
                condition=Q(total_credits__gte=0),
                name="departments_program_credits_not_negative",
                violation_error_code="negative_credits",
                violation_error_message="Credits are not negative.",
            ),
            models.CheckConstraint(
                condition=Q(level__in=ProgramLevel.values),
                name="departments_program_level_known",
                violation_error_code="invalid_choice",
                violation_error_message="The level is not one of the known ones.",
            ),
        ]
        indexes = search_indexes("departments_program")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
