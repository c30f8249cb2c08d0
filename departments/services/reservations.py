"""Taking rooms, moving what takes place in them, and giving them back."""

from collections.abc import Generator, Iterable
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
from departments.models import ReservationStatus, Room, RoomReservation

# Names the locks on rooms that are being taken.
TAKING = "departments.reservations"


class RoomTakenError(ConflictError):
    """Something else takes place in the room at that time; `meta.reservations` names it."""

    code = "room_conflict"
    title = "The room is taken at that time."
    field = "room"


@transaction.atomic
def reserve_room(
    *, room: Room, starts_at: datetime, ends_at: datetime, kind: str, what: str, source: UUID | None = None
) -> RoomReservation:
    """Take a room, or move what has one by the same `source`; refused with `room_conflict`, which names the other.

    What is knowingly in the room together with another keeps everything else out of it all the same.
    """
    columns = {"room": room, "slot": DateTimeTZRange(starts_at, ends_at, "[)"), "what": what[:200]}
    hold_rooms([room.pk])
    with _naming_the_other(room, starts_at, ends_at, what, source):
        if _others(room, starts_at, ends_at, but=source).filter(conflict_waived=True).exists():
            raise RoomTakenError
        held = RoomReservation.objects.select_for_update(no_key=True).filter(source=source).first() if source else None
        if held is None:
            return crud.create(RoomReservation, {**columns, "kind": kind, "source": source})
        return crud.update(held, {**columns, "status": ReservationStatus.APPROVED, "conflict_waived": False})


def hold_rooms(ids: Iterable[UUID]) -> None:
    """Let nobody else take these rooms until the transaction ends.

    The constraint sees no reservations that are waived; of two transactions this does. Whoever changes reservations by
    the thousand holds the rooms first, since a reservation that is being changed keeps whoever holds its room waiting.
    """
    lock_all_named(TAKING, map(str, ids))


def take_rooms(wanted: Iterable[RoomReservation]) -> set[UUID]:
    """Take rooms by the thousand for what has none; return the sources of those that were free.

    Who is at it with the same sources at once takes each of them once.
    """
    rows = sorted(wanted, key=lambda row: (row.room_id, row.slot.lower))
    sources = [row.source for row in rows]
    RoomReservation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    found = RoomReservation.objects.filter(source__in=sources, status=ReservationStatus.APPROVED)
    return {source for source in found.values_list("source", flat=True) if source is not None}


def release_rooms(sources: Iterable[UUID]) -> int:
    """Give back the rooms of what takes place no longer; return how many there were."""
    held = RoomReservation.objects.filter(source__in=list(sources))
    return held.exclude(status=ReservationStatus.CANCELLED).update(
        status=ReservationStatus.CANCELLED, version=F("version") + 1
    )


def forget_rooms(sources: Iterable[UUID]) -> None:
    """Give back the rooms of what was never to be, so that it may come to be."""
    RoomReservation.objects.filter(source__in=list(sources)).delete()


def holders(room: Room, starts_at: datetime, ends_at: datetime, *, but: UUID | None = None) -> list[dict[str, Any]]:
    """Describe what has a room at some time, the first of it first, but for what has this source."""
    return [
        {
            "id": str(row.pk),
            "kind": row.kind,
            "what": row.what,
            "starts_at": row.slot.lower.isoformat(),
            "ends_at": row.slot.upper.isoformat(),
        }
        for row in _others(room, starts_at, ends_at, but=but).order_by("slot", "pk")[:20]
    ]


def _others(room: Room, starts_at: datetime, ends_at: datetime, *, but: UUID | None) -> QuerySet[RoomReservation]:
    slot = DateTimeTZRange(starts_at, ends_at, "[)")
    found = RoomReservation.objects.there().filter(room=room, slot__overlap=slot)
    return found.exclude(source=but) if but is not None else found


@contextmanager
def _naming_the_other(
    room: Room, starts_at: datetime, ends_at: datetime, what: str, source: UUID | None
) -> Generator[None]:
    """Say in a refusal what wants the room and what has it."""
    try:
        with transaction.atomic():
            yield
    except ConflictError as refused:
        if refused.error_code != RoomTakenError.code:
            raise
        others = holders(room, starts_at, ends_at, but=source)
        names = ", ".join(other["what"] for other in others)
        detail = f"{room} is taken by {names or 'something else'} when {what} would take place there."
        raise RoomTakenError(detail, meta={"what": what, "reservations": others}) from refused
