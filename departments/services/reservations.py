"""Taking rooms, moving what takes place in them, and giving them back."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F

from core import crud
from core.errors import ConflictError
from departments.models import ReservationStatus, Room, RoomReservation


class RoomTakenError(ConflictError):
    """Something else takes place in the room at that time; `meta.reservations` names it."""

    code = "room_conflict"
    title = "The room is taken at that time."
    field = "room"


@transaction.atomic
def reserve_room(
    *, room: Room, starts_at: datetime, ends_at: datetime, kind: str, what: str, source: UUID | None = None
) -> RoomReservation:
    """Take a room, or move what has one by the same `source`; refused with `room_conflict`, which names the other."""
    columns = {"room": room, "slot": DateTimeTZRange(starts_at, ends_at, "[)"), "what": what[:200]}
    with _naming_the_other(room, starts_at, ends_at, what, source):
        held = RoomReservation.objects.select_for_update(no_key=True).filter(source=source).first() if source else None
        if held is None:
            return crud.create(RoomReservation, {**columns, "kind": kind, "source": source})
        return crud.update(held, {**columns, "status": ReservationStatus.APPROVED, "conflict_waived": False})


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
    slot = DateTimeTZRange(starts_at, ends_at, "[)")
    found = RoomReservation.objects.holding().filter(room=room, slot__overlap=slot)
    rows = found.exclude(source=but) if but is not None else found
    return [
        {
            "id": str(row.pk),
            "kind": row.kind,
            "what": row.what,
            "starts_at": row.slot.lower.isoformat(),
            "ends_at": row.slot.upper.isoformat(),
        }
        for row in rows.order_by("slot", "pk")[:20]
    ]


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
