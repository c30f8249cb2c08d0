"""Where the university is: campuses, buildings and rooms."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, VersionedModel
from core.search import search_indexes, search_text
from core.time_zones import validate_time_zone


class Campus(VersionedModel):
    """A site of the university; its time zone decides what a local day is."""

    code = models.CharField(max_length=32)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    is_active = models.BooleanField(default=True)
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = BaseQuerySet["Campus"].as_manager()

    class Meta:
        verbose_name_plural = "campuses"
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="departments_campus_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another campus has this code.",
            ),
        ]
        indexes = search_indexes("departments_campus")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class BuildingQuerySet(BaseQuerySet["Building"]):
    def for_api(self) -> Self:
        return self.select_related("campus")


class Building(VersionedModel):
    """A building on a campus."""

    campus = models.ForeignKey(Campus, on_delete=models.PROTECT, related_name="buildings")
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = BuildingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campus", "code"],
                name="departments_building_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another building on this campus has this code.",
            ),
        ]
        indexes = search_indexes("departments_building")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class RoomKind(models.TextChoices):
    LECTURE = "lecture", "Lecture hall"
    SEMINAR = "seminar", "Seminar room"
    LABORATORY = "laboratory", "Laboratory"
    COMPUTER = "computer", "Computer room"
    OFFICE = "office", "Office"
    OTHER = "other", "Other"


class RoomQuerySet(BaseQuerySet["Room"]):
    def for_api(self) -> Self:
        return self.select_related("building__campus")


class Room(VersionedModel):
    """The one kind of room there is: for classes, examinations, defences and bookings alike."""

    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="rooms")
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    capacity = models.PositiveIntegerField(help_text="Seats in teaching.")
    exam_capacity = models.PositiveIntegerField(default=0, help_text="Seats in examinations.")
    kind = models.CharField(max_length=12, choices=RoomKind, default=RoomKind.SEMINAR)
    features = ArrayField(models.CharField(max_length=40), default=list, blank=True, db_default=[])
    is_bookable = models.BooleanField(default=True)
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = RoomQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["building", "code"],
                name="departments_room_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another room in this building has this code.",
            ),
            models.CheckConstraint(
                condition=Q(exam_capacity__lte=F("capacity")),
                name="departments_room_exam_capacity_fits",
                violation_error_code="exam_capacity_exceeds_capacity",
                violation_error_message="A room seats no more in an examination than in teaching.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=RoomKind.values),
                name="departments_room_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind is not one of the known ones.",
            ),
        ]
        indexes = search_indexes("departments_room")

    def __str__(self) -> str:
        return self.code
