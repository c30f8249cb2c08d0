"""Students and faculty as places that records go to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from core.errors import DomainError
from faculty.models import Faculty
from faculty.services import bulk as faculty_bulk
from interop.models import ImportKind
from interop.targets.base import Target, settle_created, settle_updated
from interop.targets.items import Item
from interop.targets.values import Value
from students.models import Student
from students.services import bulk as student_bulk
from students.services import lock_students

PERSON = (
    Value("first_name", path="person.first_name"),
    Value("last_name", path="person.last_name"),
    Value("preferred_name", path="person.preferred_name"),
    Value("email", path="person.email"),
    Value("phone", path="person.phone"),
    Value("birth_date", "date", path="person.birth_date"),
    Value("gender", path="person.gender"),
    Value("nationality", path="person.nationality"),
)


# Published without names.
NAMELESS = frozenset({ImportKind.OULAD})


class PartTarget(Target):
    """A part that a person plays: its rows are two, the part's and the person's."""

    @property
    def nameless(self) -> bool:
        """Whether the source knows people by something else than names."""
        return self.job.kind in NAMELESS

    def queryset(self) -> models.QuerySet[Any]:
        return super().queryset().select_related("person")

    def versions(self, row: Any) -> dict[str, int]:
        return {**super().versions(row), f"accounts.person:{row.person_id}": row.person.version}


class Students(PartTarget):
    resource = "students"
    model = Student
    key_paths = ("student_no",)
    values = (
        Value("student_no"),
        *PERSON,
        Value("department", "ref", to="departments"),
        Value("status"),
        Value("admitted_on", "date"),
        Value("program", "ref", to="programs"),
        Value("cohort"),
        # Another part of the same person.
        Value("same_person_as", "ref", to="faculty", fixed=True),
    )

    absent: ClassVar = {"program": None, "cohort": ""}

    def queryset(self) -> models.QuerySet[Any]:
        return Student.objects.with_program().select_related("person")

    def load(self, ids: Collection[UUID], *, lock: bool) -> dict[UUID, Any]:
        if lock:  # the join of the primary program cannot be locked along
            lock_students(ids)
        return super().load(ids, lock=False)

    def held(self, value: Value, row: Any) -> Any:
        if value.name not in self.absent:
            return super().held(value, row)
        primary = getattr(row, "primary_enrollment", None)
        if primary is None:
            return self.absent[value.name]
        return primary.program_id if value.name == "program" else primary.cohort

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        _name_person(values)
        return student_bulk.student_faults(values=values, student=item.row, by=self.by, nameless=self.nameless)

    def create(self, items: Sequence[Item]) -> None:
        rows = _with_persons([self.columns(item.new_values) for item in items], Faculty)
        settle_created(items, student_bulk.create_students(rows=rows, by=self.by, nameless=self.nameless))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, student_bulk.update_students(changes=changes, by=self.by))

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return student_bulk.keep_students(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        student_bulk.restore_students(kept=kept, by=self.by)

    def remove(self, ids: Collection[UUID]) -> None:
        student_bulk.remove_students(ids=ids)


class FacultyMembers(PartTarget):
    resource = "faculty"
    model = Faculty
    key_paths = ("employee_no",)
    values = (
        Value("employee_no"),
        *PERSON,
        Value("rank"),
        Value("employment_type"),
        Value("department", "ref", to="departments"),
        Value("status"),
        Value("fte", "decimal"),
        Value("appointed_on", "date", fixed=True),
        Value("same_person_as", "ref", to="students", fixed=True),
    )

    def check(self, item: Item) -> list[DomainError]:
        values = self.columns(item.new_values if item.row is None else item.changed_values)
        _name_person(values)
        return faculty_bulk.faculty_faults(values=values, faculty=item.row, by=self.by, nameless=self.nameless)

    def create(self, items: Sequence[Item]) -> None:
        rows = _with_persons([self.columns(item.new_values) for item in items], Student)
        made = faculty_bulk.create_faculty_members(rows=rows, by=self.by, nameless=self.nameless)
        settle_created(items, made)

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, faculty_bulk.update_faculty_members(changes=changes, by=self.by))

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return faculty_bulk.keep_faculty_members(ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        faculty_bulk.restore_faculty_members(kept=kept, by=self.by)

    def remove(self, ids: Collection[UUID]) -> None:
        faculty_bulk.remove_faculty_members(ids=ids)


def _name_person(values: dict[str, Any]) -> None:
    """Put in place of the other part of a person whatever stands for the person while nothing is written."""
    other = values.pop("same_person_as_id", None)
    if other is not None:
        values["person_id"] = other


def _with_persons(rows: Sequence[dict[str, Any]], other: type[models.Model]) -> Sequence[Mapping[str, Any]]:
    """Let a part of somebody who has another part be played by the same person."""
    named = {row["same_person_as_id"] for row in rows if row.get("same_person_as_id")}
    persons = dict(other._default_manager.filter(pk__in=named).values_list("pk", "person_id"))
    for row in rows:
        person_id = persons.get(row.pop("same_person_as_id", None))
        if person_id is not None:
            row["person_id"] = person_id
    return rows
