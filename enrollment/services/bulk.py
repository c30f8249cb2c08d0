"""Enrolments by the thousand, as another system reports them, recorded as they are.

History contains what today's rules would refuse: over-full sections, closed terms, students who
have left. The rules of registration therefore do not apply here, only the database's own; a section
that was fuller than its capacity gets the seats that explain it. Sections and the states of their
terms are locked as for registering; students are not, since nothing here asks for their standing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from core import bulk, crud, snapshots
from core.db.constraints import refusing
from core.errors import DomainError, InvalidError
from core.visibility import Actor
from courses.models import Section
from courses.selectors import for_registration
from courses.services import grant_seats, lock_sections
from enrollment.models import LEFT, SEATED, Enrollment, EnrollmentStatus, Source
from enrollment.services.locking import lock_sections_of
from enrollment.services.registration import STEPS

# What an enrolment takes over from its section.
DERIVED = ("course", "term", "credits")


class LeavingTimeError(InvalidError):
    """An enrolment that ended early says when, and no other does."""

    code = "dropped_at_mismatch"
    title = "An enrolment has a time of leaving exactly when the student has left."
    field = "dropped_at"


def record_faults(*, values: Mapping[str, Any], enrollment: Enrollment | None) -> list[DomainError]:
    """Return what is wrong with a reported enrolment, as far as can be told without writing."""
    given = {name: value for name, value in values.items() if value is not None or name != "credits"}
    errors = bulk.faults(Enrollment, given, partial=enrollment is not None, ignoring=DERIVED)
    status = values.get("status", enrollment.status if enrollment else EnrollmentStatus.ENROLLED)
    dropped_at = values.get("dropped_at", enrollment.dropped_at if enrollment else None)
    if (status in LEFT) != (dropped_at is not None):
        errors.append(LeavingTimeError())
    return errors


@transaction.atomic
def record_many(*, rows: Sequence[Mapping[str, Any]]) -> list[Enrollment | DomainError]:
    """Insert reported enrolments; return for each the enrolment, or why it was refused.

    A row has `student_id`, `section_id` and whatever else is known; without credits it counts what
    the course does. They come without events: what happened, happened elsewhere.
    """
    wrong = [bulk.one_error(record_faults(values=values, enrollment=None)) for values in rows]
    sound = [values for values, error in zip(rows, wrong, strict=True) if error is None]
    sections = _locked({values["section_id"] for values in sound})
    recorded = [_row(values, sections[values["section_id"]]) for values in sound]
    written = iter(zip(recorded, _insert(recorded), strict=True))
    results: list[Enrollment | DomainError] = []
    for error in wrong:
        if error is not None:
            results.append(error)
        else:
            row, refused = next(written)
            results.append(refused or row)
    return results


def _insert(rows: Sequence[Enrollment]) -> list[DomainError | None]:
    """Insert enrolments; seats beyond the capacity are given to those alone that are not refused."""
    try:
        with refusing():
            _give_seats_to(rows)
            if any(refused := bulk.insert([[row] for row in rows])):
                raise next(filter(None, refused))
    except DomainError:
        return [_insert_one(row) for row in rows]
    return [None] * len(rows)


def _insert_one(row: Enrollment) -> DomainError | None:
    def insert() -> None:
        _give_seats_to([row])
        row.save(force_insert=True)

    return bulk.attempt(insert)


def _give_seats_to(rows: Iterable[Enrollment]) -> None:
    grant_seats(Counter(row.section_id for row in rows if row.status in SEATED))


@transaction.atomic
def correct_many(
    *, changes: Sequence[tuple[Enrollment, Mapping[str, Any]]], by: Actor | None, at: datetime
) -> list[DomainError | None]:
    """Change enrolments to what the other system says now; return for each why it was refused, or None.

    The caller has locked them after their sections, as `lock_sections_of` does.
    A step of the status is put on record.
    """
    lock_sections({enrollment.section_id for enrollment, _ in changes})
    return [_correct_one(enrollment, values, by=by, at=at) for enrollment, values in changes]


def _correct_one(
    enrollment: Enrollment, values: Mapping[str, Any], *, by: Actor | None, at: datetime
) -> DomainError | None:
    wrong = bulk.one_error(record_faults(values=values, enrollment=enrollment))
    if wrong is not None:
        return wrong
    before = enrollment.status

    def correct() -> None:
        if values.get("status", before) in SEATED and before not in SEATED:
            grant_seats({enrollment.section_id: 1})
        crud.update(enrollment, values, by=by)
        if enrollment.status != before:
            STEPS.record(enrollment, before, by=by, at=at, reason="Reported by another system.")

    return bulk.attempt(correct)


def keep_records(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_records` needs to bring enrolments back exactly, by id."""
    return {pk: [kept] for pk, kept in snapshots.keep(Enrollment, ids).items()}


@transaction.atomic
def restore_records(*, kept: Collection[snapshots.Kept]) -> None:
    """Bring enrolments back exactly as they were kept; the steps that were recorded since stay on record."""
    lock_sections({UUID(row["section_id"]) for single in kept for row in snapshots.rows_of(single)})
    snapshots.restore(kept)


@transaction.atomic
def erase_many(*, ids: Collection[UUID]) -> None:
    """Delete enrolments that an import recorded, as if it had never run; refused with `in_use`."""
    lock_sections_of(ids)
    bulk.delete(Enrollment, ids)


def _locked(ids: Collection[UUID]) -> dict[UUID, Section]:
    lock_sections(ids)
    return {section.pk: section for section in for_registration(ids)}


def _row(values: Mapping[str, Any], section: Section) -> Enrollment:
    version = section.course_version
    return Enrollment(
        **{
            "course_id": section.course_id,
            "term_id": section.term_id,
            "credits": version.credits,
            "is_repeatable": version.is_repeatable,
            "source": Source.IMPORT,
            **{name: value for name, value in values.items() if value is not None},
        }
    )
