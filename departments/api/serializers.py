"""The JSON shapes of departments, places, calendar and programs."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from departments.models import (
    AcademicYear,
    Appointment,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    Room,
    RoomReservation,
    Term,
    TermState,
)


class DepartmentBrief(BaseListSerializer[Department]):
    class Meta:
        model = Department
        fields = ["id", "code", "name"]


class CampusBrief(BaseListSerializer[Campus]):
    class Meta:
        model = Campus
        fields = ["id", "code", "name"]


class BuildingBrief(BaseListSerializer[Building]):
    campus = CampusBrief()

    class Meta:
        model = Building
        fields = ["id", "code", "name", "campus"]


class AcademicYearBrief(BaseListSerializer[AcademicYear]):
    class Meta:
        model = AcademicYear
        fields = ["id", "code", "name"]


class ProgramBrief(BaseListSerializer[Program]):
    class Meta:
        model = Program
        fields = ["id", "code", "name"]


class TermBrief(BaseListSerializer[Term]):
    class Meta:
        model = Term
        fields = ["id", "code"]


class PersonInOffice(serializers.Serializer[Any]):
    """Who holds an office."""

    id = serializers.UUIDField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    preferred_name = serializers.CharField()


class DepartmentSerializer(BaseListSerializer[Department]):
    parent = DepartmentBrief(allow_null=True)
    head = PersonInOffice(allow_null=True)
    custom_fields = CustomFieldsField()

    expandable = {"parent": "departments.api.serializers.DepartmentSerializer"}

    class Meta:
        model = Department
        fields = [
            "id", "code", "name", "kind", "parent", "head", "is_active", "custom_fields", "created_at", "updated_at",
        ]  # fmt: skip


class DepartmentWriter(ModelWriteSerializer[Department]):
    request_example: ClassVar = {"code": "AST", "name": "Astronomy"}

    custom_fields = CustomFieldsField()

    class Meta:
        model = Department
        fields = ["code", "name", "kind", "parent", "is_active", "custom_fields"]


class AppointmentSerializer(BaseDetailSerializer[Appointment]):
    department = DepartmentBrief()
    person = PersonInOffice()
    starts_on = serializers.DateField(source="valid.lower", allow_null=True)
    ends_on = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="The first day after it; null when it is open."
    )

    class Meta:
        model = Appointment
        fields = ["id", "department", "person", "role", "starts_on", "ends_on", "created_at", "updated_at"]


class AppointmentWriter(ModelWriteSerializer[Appointment]):
    starts_on = serializers.DateField(required=False)
    ends_on = serializers.DateField(required=False, allow_null=True)

    class Meta:
        model = Appointment
        fields = ["department", "person", "role", "starts_on", "ends_on"]


class ProgramSerializer(BaseListSerializer[Program]):
    department = DepartmentBrief()

    expandable = {"department": DepartmentSerializer}

    class Meta:
        model = Program
        fields = [
            "id", "code", "name", "level", "department", "total_credits", "is_active", "created_at", "updated_at",
        ]  # fmt: skip


class ProgramWriter(ModelWriteSerializer[Program]):
    class Meta:
        model = Program
        fields = ["code", "name", "level", "department", "total_credits", "is_active"]


class CampusSerializer(BaseListSerializer[Campus]):
    class Meta:
        model = Campus
        fields = ["id", "code", "name", "time_zone", "is_active", "created_at", "updated_at"]


class CampusWriter(ModelWriteSerializer[Campus]):
    class Meta:
        model = Campus
        fields = ["code", "name", "time_zone", "is_active"]


class BuildingSerializer(BaseListSerializer[Building]):
    campus = CampusBrief()

    expandable = {"campus": CampusSerializer}

    class Meta:
        model = Building
        fields = ["id", "code", "name", "campus", "created_at", "updated_at"]


class BuildingWriter(ModelWriteSerializer[Building]):
    class Meta:
        model = Building
        fields = ["campus", "code", "name"]


class RoomSerializer(BaseListSerializer[Room]):
    building = BuildingBrief()

    expandable = {"building": BuildingSerializer}

    class Meta:
        model = Room
        fields = [
            "id", "code", "name", "building", "capacity", "exam_capacity", "kind", "features", "is_bookable",
            "created_at", "updated_at",
        ]  # fmt: skip


class RoomWriter(ModelWriteSerializer[Room]):
    class Meta:
        model = Room
        fields = ["building", "code", "name", "capacity", "exam_capacity", "kind", "features", "is_bookable"]


class RoomBrief(BaseListSerializer[Room]):
    building = serializers.CharField(source="building.code", help_text="The building's code.")

    class Meta:
        model = Room
        fields = ["id", "code", "building"]


class RoomReservationSerializer(BaseListSerializer[RoomReservation]):
    room = RoomBrief()
    starts_at = serializers.DateTimeField(source="slot.lower")
    ends_at = serializers.DateTimeField(source="slot.upper")

    class Meta:
        model = RoomReservation
        fields = [
            "id", "room", "starts_at", "ends_at", "kind", "what", "source", "status", "conflict_waived", "created_at",
            "updated_at",
        ]  # fmt: skip


class AcademicYearSerializer(BaseListSerializer[AcademicYear]):
    class Meta:
        model = AcademicYear
        fields = ["id", "code", "name", "starts_on", "ends_on", "created_at", "updated_at"]


class AcademicYearWriter(ModelWriteSerializer[AcademicYear]):
    class Meta:
        model = AcademicYear
        fields = ["code", "name", "starts_on", "ends_on"]


class TermSerializer(BaseListSerializer[Term]):
    academic_year = AcademicYearBrief()

    expandable = {"academic_year": AcademicYearSerializer}

    class Meta:
        model = Term
        fields = ["id", "code", "name", "academic_year", "starts_on", "ends_on", "state", "created_at", "updated_at"]


class TermWriter(ModelWriteSerializer[Term]):
    class Meta:
        model = Term
        fields = ["academic_year", "code", "name", "starts_on", "ends_on"]


class MoveTermWriter(WriteSerializer):
    state = serializers.ChoiceField(TermState.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class CalendarEventSerializer(BaseListSerializer[CalendarEvent]):
    campus = CampusBrief(allow_null=True)

    expandable = {"campus": CampusSerializer}

    class Meta:
        model = CalendarEvent
        fields = ["id", "name", "kind", "campus", "starts_on", "ends_on", "taught_as", "created_at", "updated_at"]


class CalendarEventWriter(ModelWriteSerializer[CalendarEvent]):
    request_example: ClassVar = {
        "name": "Founders' day", "kind": "holiday", "starts_on": "2026-10-26", "ends_on": "2026-10-26",
    }  # fmt: skip

    class Meta:
        model = CalendarEvent
        fields = ["name", "kind", "campus", "starts_on", "ends_on", "taught_as"]
