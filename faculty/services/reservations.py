"""Wanting members of the faculty somewhere, at another time, and no longer."""

from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, QuerySet

from core import crud
from core.db.locks import lock_all_named
from core.errors import ConflictError
from faculty.models import Faculty, FacultyReservation

# Names the locks on people who are being wanted somewhere.
WANTING = "faculty.reservations"


class FacultyTakenError(ConflictError):
    """A member of the faculty is wanted elsewhere at that time; `meta.reservations` says where."""

    code = "person_conflict"
    title = "The member of faculty is wanted elsewhere at that time."
    field = "instructor"


@transaction.atomic
def reserve_faculty(
    *,
    faculty: Faculty,
    starts_at: datetime,
    ends_at: datetime,
    kind: str,
    what: str,
    source: UUID,
    as_before: bool = False,
) -> FacultyReservation:
    """Want somebody somewhere, or at another time; refused with `person_conflict`, which names the other.

    Whoever is knowingly wanted in two places is not wanted in a third. With `as_before`, they are so again where they
    were before, if the time is still the same.
    """
    columns = {"slot": DateTimeTZRange(starts_at, ends_at, "[)"), "what": what[:200]}
    # Two who want one person at once would each wait for the other to commit.
    hold_faculty([faculty.pk])
    with _naming_the_other(faculty, columns["slot"], what, source):
        held = FacultyReservation.objects.select_for_update(no_key=True).filter(faculty=faculty, source=source).first()
        is_again = as_before and held is not None and held.slot == columns["slot"]
        if not is_again and _others(faculty, columns["slot"], source).filter(conflict_waived=True).exists():
            raise FacultyTakenError
        if held is None:
            return crud.create(FacultyReservation, {**columns, "faculty": faculty, "kind": kind, "source": source})
        waived = is_again and held.conflict_waived
        return crud.update(held, {**columns, "cancelled_at": None, "conflict_waived": waived})


def hold_faculty(ids: Iterable[UUID]) -> None:
    """Let nobody else want these people anywhere until the transaction ends.

    The constraint sees no reservations that are waived; of two transactions this does. Whoever changes reservations by
    the thousand holds the people first, since a reservation that is being changed keeps others waiting.
    """
    lock_all_named(WANTING, map(str, ids))


def want_faculty(wanted: Iterable[FacultyReservation]) -> set[tuple[UUID, UUID]]:
    """Want people by the thousand; return those, with the source, who are wanted elsewhere at the time.

    The timetable has decided that already: they are wanted nevertheless, and the reservation says so.
    """
    rows = sorted(wanted, key=lambda row: (row.faculty_id, row.slot.lower))
    FacultyReservation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    sources = {row.source for row in rows}
    there = set(FacultyReservation.objects.filter(source__in=sources).values_list("faculty_id", "source"))
    twice = [row for row in rows if (row.faculty_id, row.source) not in there]
    for row in twice:
        row.conflict_waived = True
    FacultyReservation.objects.bulk_create(twice, ignore_conflicts=True, batch_size=1000)
    return {(row.faculty_id, row.source) for row in twice}


def want_only_faculty(wanted: Iterable[FacultyReservation], *, among: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Want people by the thousand, and for the sources `among` nobody else; return as `want_faculty` does."""
    rows = {(row.faculty_id, row.source): row for row in wanted}
    held = list(FacultyReservation.objects.filter(source__in=among).only("faculty", "source", "cancelled_at"))
    there = {(row.faculty_id, row.source) for row in held if row.cancelled_at is None} & rows.keys()
    others = [
        row.pk
        for row in held
        # Who was released stays so, and may be wanted there again.
        if (row.faculty_id, row.source) not in there
        and (row.cancelled_at is None or (row.faculty_id, row.source) in rows)
    ]
    FacultyReservation.objects.filter(pk__in=others).delete()
    return want_faculty(row for pair, row in rows.items() if pair not in there)


def release_faculty(sources: Iterable[UUID], *, at: datetime, faculty: Iterable[UUID] | None = None) -> int:
    """Want nobody any more for what takes place no longer, or not these people; return how many were wanted."""
    held = FacultyReservation.objects.filter(source__in=list(sources), cancelled_at=None)
    if faculty is not None:
        held = held.filter(faculty__in=list(faculty))
    return held.update(cancelled_at=at, version=F("version") + 1)


def forget_faculty(sources: Iterable[UUID]) -> None:
    """Want nobody for what was never to be, so that it may come to be."""
    FacultyReservation.objects.filter(source__in=list(sources)).delete()


def _others(faculty: Faculty, slot: Any, source: UUID) -> QuerySet[FacultyReservation]:
    return FacultyReservation.objects.there().filter(faculty=faculty, slot__overlap=slot).exclude(source=source)


@contextmanager
def _naming_the_other(faculty: Faculty, slot: Any, what: str, source: UUID) -> Generator[None]:
    """Say in a refusal where somebody was to be and where they are."""
    try:
        with transaction.atomic():
            yield
    except ConflictError as refused:
        if refused.error_code != FacultyTakenError.code:
            raise
        others = [
            {"what": row.what, "starts_at": row.slot.lower.isoformat(), "ends_at": row.slot.upper.isoformat()}
            for row in _others(faculty, slot, source).order_by("slot", "pk")[:20]
        ]
        names = ", ".join(other["what"] for other in others)
        detail = f"{faculty} is wanted for {names or 'something else'} when {what} would take place."
        raise FacultyTakenError(detail, meta={"what": what, "reservations": others}) from refused
