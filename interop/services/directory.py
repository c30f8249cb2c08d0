"""What the records know of what a file is about: of earlier OneRoster packages, of the rows of a table."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice
from uuid import UUID

from django.db.models import QuerySet

from courses.models import SectionInstructor
from interop.faults import MissingColumnError
from interop.models import ExternalIdentifier, ImportJob
from interop.sources.oneroster.directory import SCHEME
from interop.sources.plain import PlainTable
from interop.targets.registry import TARGETS

# What the rows of each file became; the rows of other files were checked and not kept.
ENTITIES = {
    "orgs": ("departments.department",),
    "academicSessions": ("departments.academicyear", "departments.term"),
    "courses": ("courses.course",),
    "classes": ("courses.section",),
    "users": ("students.student", "faculty.faculty"),
    "enrollments": ("enrollment.enrollment",),
}
PARTS = {"students.student": "students", "faculty.faculty": "faculty"}

BATCH = 1_000


def refuse_if_all_new(table: PlainTable, file: str) -> None:
    """Raise a `MissingColumnError` for a table that lacks what new rows need and names no row that there is.

    One that names any changes it; which of its other rows are refused is said row by row.
    """
    if not table.lacking:
        return
    keys, is_empty = table.keys(), True
    while batch := list(islice(keys, BATCH)):
        is_empty = False
        if TARGETS[table.kind](None, ImportJob(kind=table.kind)).ids_by_key(batch):
            return
    if not is_empty:
        raise MissingColumnError.of(table.lacking, file, ", which new rows need, and no row of the file is known")


class RecordedDirectory:
    """Answers from the external identifiers that earlier packages left."""

    def known(self, file: str, ids: Iterable[str]) -> set[str]:
        wanted = set(ids)
        if file not in ENTITIES:
            return wanted  # nothing was kept that could contradict it
        return set(self._identifiers(file).filter(value__in=wanted).values_list("value", flat=True))

    def years(self, ids: Iterable[str]) -> set[str]:
        years = ExternalIdentifier.objects.filter(scheme=SCHEME, entity_type="departments.academicyear")
        return set(years.filter(value__in=set(ids)).values_list("value", flat=True))

    def absent(self, file: str, ids: Collection[str]) -> int:
        known = self._identifiers(file).values_list("value", flat=True).distinct() if file in ENTITIES else ()
        return sum(value not in ids for value in known)

    def parts(self, user_ids: Iterable[str]) -> dict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        rows = self._identifiers("users").filter(value__in=set(user_ids))
        for value, entity_type in rows.values_list("value", "entity_type"):
            found[value].add(PARTS[entity_type])
        return found

    def instructors(self, class_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        sections: dict[UUID, str] = {
            pk: value
            for value, pk in self._identifiers("classes")
            .filter(value__in=set(class_ids))
            .values_list("value", "object_id")
        }
        taught = SectionInstructor.objects.filter(section__in=sections).order_by("-share", "pk")
        rows = list(taught.values_list("section_id", "faculty_id", "faculty__employee_no", "role"))
        users = dict(
            self._identifiers("users").filter(object_id__in={row[1] for row in rows}).values_list("object_id", "value")
        )
        found: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        for section_id, faculty_id, employee_no, role in rows:
            one = {"faculty": employee_no, "user": users.get(faculty_id, ""), "role": role}
            found[sections[section_id]].append(one)
        return found

    @staticmethod
    def _identifiers(file: str) -> QuerySet[ExternalIdentifier]:
        return ExternalIdentifier.objects.filter(scheme=SCHEME, entity_type__in=ENTITIES[file])
