"""Every place that records can go to, by resource."""

from django.db.models import QuerySet

from core.visibility import Actor
from interop.models import ImportJob, ImportRow
from interop.targets.attendance import Marks
from interop.targets.base import Target
from interop.targets.calendar import AcademicYears, Terms
from interop.targets.definitions import CustomFields
from interop.targets.people import FacultyMembers, Students
from interop.targets.registration import Enrollments
from interop.targets.structure import Buildings, Campuses, Departments, Programs, Rooms
from interop.targets.teaching import Courses, Meetings, Sections

TARGETS: dict[str, type[Target]] = {
    target.resource: target
    for target in (
        Campuses, Buildings, Rooms, Departments, AcademicYears, Terms, Programs, CustomFields, FacultyMembers,
        Students, Courses, Sections, Meetings, Enrollments, Marks,
    )
}  # fmt: skip


class Targets:
    """The targets of one run over a job, each made when it is first needed."""

    def __init__(self, by: Actor | None, job: ImportJob) -> None:
        self._by = by
        self._job = job
        self._made: dict[str, Target] = {}

    def __getitem__(self, resource: str) -> Target:
        if resource not in self._made:
            self._made[resource] = TARGETS[resource](self._by, self._job)
        return self._made[resource]

    def lock_ahead(self, rows: QuerySet[ImportRow]) -> None:
        """Lock everything that taking back rows of the staging table needs, and that is not locked by ids."""
        for resource in rows.order_by().values_list("resource", flat=True).distinct():
            self[resource].lock_ahead(rows.filter(resource=resource))
