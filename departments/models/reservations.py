"""Who has a room, and when: the one space in which everything that takes place in rooms can clash."""

from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, VersionedModel
from departments.models.places import Room


class ReservationKind(models.TextChoices):
    CLASS = "class", "Class"
    EXAM = "exam", "Examination"
    DEFENCE = "defence", "Defence"
    EVENT = "event", "Event"
    MAINTENANCE = "maintenance", "Maintenance"


class ReservationStatus(models.TextChoices):
    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


class RoomReservationQuerySet(BaseQuerySet["RoomReservation"]):
    def there(self) -> Self:
        """Those that somebody has, knowingly together with another or not: nothing new is put over any of them."""
        return self.filter(status=ReservationStatus.APPROVED)

    def for_api(self) -> Self:
        return self.select_related("room__building")


class RoomReservation(VersionedModel):
    """A room for a span of time, whatever it is for.

    Every dated use of a room is one row: a class that several sections attend together, an examination, a defence.
    What it is for has the id of the row as its `source`, so that it is found from here without being known here.
    """

    # The indexes below begin with the room.
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="reservations", db_index=False)
    slot = DateTimeRangeField(help_text="From (inclusive) until (exclusive).")
    kind = models.CharField(max_length=12, choices=ReservationKind)
    what = models.CharField(max_length=200, help_text="What it is for, as whoever wants the room too is told.")
    source = models.UUIDField(null=True, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=ReservationStatus, default=ReservationStatus.APPROVED)
    conflict_waived = models.BooleanField(default=False, help_text="Knowingly in the room together with another.")

    objects = RoomReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="departments_roomreservation_room_free",
                expressions=[("room", RangeOperators.EQUAL), ("slot", RangeOperators.OVERLAPS)],
                condition=Q(status="approved", conflict_waived=False),
                violation_error_code="room_conflict",
                violation_error_message="The room is taken at that time.",
            ),
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(source__isnull=False),
                name="departments_roomreservation_one_of_source",
                violation_error_code="conflict",
                violation_error_message="It has a room already.",
            ),
            models.CheckConstraint(
                condition=Q(slot__isempty=False, slot__lower_inf=False, slot__upper_inf=False),
                name="departments_roomreservation_has_length",
                violation_error_code="ends_before_start",
                violation_error_message="A reservation ends after it begins.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReservationKind.values),
                name="departments_roomreservation_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ReservationStatus.values),
                name="departments_roomreservation_status_known",
                violation_error_code="invalid_choice",
                violation_error_message="The status is not one of the known ones.",
            ),
        ]
        indexes = [
            models.Index(fields=["room", "created_at", "id"], name="departments_reservation_room"),
            models.Index(fields=["room"], condition=Q(conflict_waived=True), name="departments_reservation_waived"),
        ]

    def __str__(self) -> str:
        return f"{self.what}, {self.slot.lower:%Y-%m-%d %H:%M}"
