"""Faculty by the thousand, for imports, by the rules of the services for single members."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.services.bulk_parts import Decided, create_parts, keep_parts, part_faults, remove_parts, update_parts
from core import bulk, snapshots
from core.errors import DomainError
from core.events import publish_all
from core.visibility import Actor
from departments.models import Department
from faculty.events import FacultyAppointed, FacultyCreated
from faculty.models import GONE, Faculty, FacultyAppointment
from faculty.refusals import EmployeeNoImmutableError
from faculty.services.members import DECIDED_BY_OTHERS, STEPS, OwnPostError, update_faculty

# What describes the first post, not the member.
APART = ("appointed_on",)
# What a change of has consequences that only the service for one member draws.
CONSEQUENTIAL = frozenset({"status", "rank", "department_id"})
DECIDED = Decided(DECIDED_BY_OTHERS | {"department_id"}, OwnPostError)


def faculty_faults(
    *, values: Mapping[str, Any], faculty: Faculty | None, by: Actor | None, nameless: bool = False
) -> list[DomainError]:
    """Return what is wrong with the values of a member of faculty, as far as can be told without writing."""
    errors = DECIDED.faults(values, faculty, by=by)
    errors += part_faults(Faculty, values, part=faculty, nameless=nameless, apart=APART)
    if faculty is not None and values.get("employee_no", faculty.employee_no) != faculty.employee_no:
        errors.append(EmployeeNoImmutableError())
    return errors


@transaction.atomic
def create_faculty_members(
    *, rows: Sequence[Mapping[str, Any]], by: Actor | None, nameless: bool = False
) -> list[Faculty | DomainError]:
    """Create members of faculty, the persons they are and their first posts; return each, or why it was refused.

    A person has a last name, unless the source publishes none: then they may be `nameless`.
    """
    today = timezone.localdate()
    posts: dict[UUID, FacultyAppointment] = {}

    def along(faculty: Faculty, values: Mapping[str, Any]) -> Iterable[models.Model]:
        if faculty.status in GONE:
            return ()
        posts[faculty.pk] = FacultyAppointment(
            faculty=faculty,
            department_id=faculty.department_id,
            rank=faculty.rank,
            valid=DateRange(values.get("appointed_on") or today, None, "[)"),
        )
        return (posts[faculty.pk],)

    results = create_parts(Faculty, rows, by=by, decided=DECIDED, nameless=nameless, along=along, apart=APART)
    created = [result for result in results if isinstance(result, Faculty)]
    publish_all(FacultyCreated(faculty_id=f.pk, person_id=f.person_id, employee_no=f.employee_no) for f in created)
    publish_all(
        FacultyAppointed(faculty_id=f.pk, department_id=f.department_id, rank=f.rank, starts_on=posts[f.pk].valid.lower)
        for f in created
        if f.pk in posts
    )
    return results


@transaction.atomic
def update_faculty_members(
    *, changes: Sequence[tuple[Faculty, Mapping[str, Any]]], by: Actor | None
) -> list[DomainError | None]:
    """Change locked members of faculty; return for each why it was refused, or None."""
    return update_parts(
        changes,
        by=by,
        decided=DECIDED,
        consequential=CONSEQUENTIAL,
        faults=lambda faculty, values: faculty_faults(values=values, faculty=faculty, by=by),
        update=update_faculty,
        department=Department,
    )


def keep_faculty_members(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_faculty_members` needs to bring members, persons and posts back exactly."""
    posts = snapshots.keep_owned(FacultyAppointment, "faculty_id", ids)
    return {pk: [*kept, posts[pk]] for pk, kept in keep_parts(Faculty, ids).items()}


@transaction.atomic
def restore_faculty_members(*, kept: Sequence[snapshots.Kept], by: Actor | None) -> None:
    """Bring members of faculty back exactly; a status taken back is one more step in their history."""
    STEPS.restore(kept, by=by, at=timezone.now(), reason="An import was taken back.")


@transaction.atomic
def remove_faculty_members(*, ids: Collection[UUID]) -> None:
    """Delete members of faculty, their posts and persons; refused with `in_use` while anything else refers to one."""
    posts = FacultyAppointment.objects.filter(faculty__in=list(ids)).values_list("pk", flat=True)
    bulk.delete(FacultyAppointment, list(posts))
    remove_parts(Faculty, ids)
