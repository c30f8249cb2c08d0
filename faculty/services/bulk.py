"""Faculty by the thousand, for imports, by the rules of the services for single members."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.services.bulk_parts import change_parts, create_parts, keep_parts, part_faults, remove_parts
from core import bulk, snapshots
from core.db.constraints import refusing
from core.errors import DomainError
from core.events import publish_all
from core.visibility import Actor
from departments.models import Department
from faculty.events import FacultyAppointed, FacultyCreated
from faculty.models import GONE, Faculty, FacultyAppointment, FacultyStatusEvent
from faculty.refusals import EmployeeNoImmutableError
from faculty.services import update_faculty

# What a change of has consequences that only the service for one member draws.
CONSEQUENTIAL = frozenset({"status", "rank", "department_id"})


def faculty_faults(*, values: Mapping[str, Any], faculty: Faculty | None) -> list[DomainError]:
    """Return what is wrong with the values of a member of faculty, as far as can be told without writing."""
    own = {name: value for name, value in values.items() if name != "appointed_on"}
    errors = part_faults(Faculty, own, partial=faculty is not None)
    if faculty is not None and own.get("employee_no", faculty.employee_no) != faculty.employee_no:
        errors.append(EmployeeNoImmutableError())
    return errors


@transaction.atomic
def create_faculty_members(*, rows: Sequence[Mapping[str, Any]], by: Actor | None) -> list[Faculty | DomainError]:
    """Create members of faculty, the persons they are and their first posts; return each, or why it was refused."""
    today = timezone.localdate()
    posts: dict[UUID, FacultyAppointment] = {}

    def along(faculty: Faculty, values: Mapping[str, Any]) -> Iterable[models.Model]:
        if faculty.status in GONE:
            return ()
        posts[faculty.pk] = FacultyAppointment(
            faculty=faculty,
            department_id=faculty.department_id,
            rank=faculty.rank,
            valid=DateRange(starts.get(id(values)) or today, None, "[)"),
        )
        return (posts[faculty.pk],)

    starts: dict[int, Any] = {}
    own = []
    for values in rows:
        own.append({name: value for name, value in values.items() if name != "appointed_on"})
        starts[id(own[-1])] = values.get("appointed_on")
    results = create_parts(Faculty, own, by=by, along=along)
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
    plain = [(faculty, values) for faculty, values in changes if not CONSEQUENTIAL & values.keys()]
    others = [(faculty, values) for faculty, values in changes if CONSEQUENTIAL & values.keys()]
    refused = {faculty.pk: e for (faculty, _), e in zip(plain, change_parts(plain, by=by), strict=True)}
    for (faculty, values), (_, given) in zip(others, bulk.with_related(others, department=Department), strict=True):
        wrong = bulk.one_error(faculty_faults(values=values, faculty=faculty))
        refused[faculty.pk] = wrong or _update_one(faculty, given, by=by)
    return [refused[faculty.pk] for faculty, _ in changes]


def _update_one(faculty: Faculty, values: dict[str, Any], *, by: Actor | None) -> DomainError | None:
    try:
        with refusing():
            update_faculty(faculty, by=by, **values)
            bulk.check_deferred()
    except DomainError as error:
        return error
    return None


def keep_faculty_members(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_faculty_members` needs to bring members, persons and posts back exactly."""
    posts = snapshots.keep_owned(FacultyAppointment, "faculty_id", ids)
    return {pk: [*kept, posts[pk]] for pk, kept in keep_parts(Faculty, ids).items()}


@transaction.atomic
def restore_faculty_members(*, kept: Sequence[snapshots.Kept], by: Actor | None) -> None:
    """Bring members of faculty back exactly; a status taken back is one more step in their history."""
    rows = [row for single in kept if single["of"] == "faculty.faculty" for row in snapshots.rows_of(single)]
    present = dict(Faculty.objects.filter(pk__in=[row["id"] for row in rows]).values_list("pk", "status"))
    snapshots.restore(kept)
    steps = [
        FacultyStatusEvent(
            faculty_id=row["id"],
            from_status=present[UUID(row["id"])],
            to_status=row["status"],
            actor_id=by.pk if by else None,
            reason="An import was taken back.",
            happened_at=timezone.now(),
        )
        for row in rows
        if present.get(UUID(row["id"]), row["status"]) != row["status"]
    ]
    FacultyStatusEvent.objects.bulk_create(steps)


@transaction.atomic
def remove_faculty_members(*, ids: Collection[UUID]) -> None:
    """Delete members of faculty, their posts and persons; refused with `in_use` while anything else refers to one."""
    posts = FacultyAppointment.objects.filter(faculty__in=list(ids)).values_list("pk", flat=True)
    bulk.delete(FacultyAppointment, list(posts))
    remove_parts(Faculty, ids)
