"""HTTP for the shape of the university: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bulk import BulkViewSet, ids_at
from core.api.viewsets import BaseViewSet
from core.crud import Crud
from departments import services
from departments.api import filters, serializers
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
)
from departments.services.bulk import remove_many

CODE_AND_NAME = {"code": "code", "name": "name", "created_at": "created_at"}


class DepartmentViewSet(BulkViewSet[Department]):
    """The units of the institution, as a tree."""

    queryset = Department.objects.all()
    made_of = ["departments.Department", "departments.Appointment", "accounts.Person-details", "core.CustomField"]
    is_everybodys = True
    list_serializer_class = serializers.DepartmentSerializer
    write_serializer_class = serializers.DepartmentWriter
    filterset_class = filters.DepartmentFilter
    ordering_fields = CODE_AND_NAME
    default_ordering = ("code",)
    searchable = True
    read_along = ("parent",)
    crud = Crud(
        create=services.create_department,
        update=services.update_department,
        delete=services.delete_department,
        delete_all=partial(remove_many, model=Department),
    )

    def lock_ahead(self, rows: QuerySet[Department], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock along what lies below departments that may be moved."""
        if any("parent" in body for body in bodies):
            services.lock_subtrees(rows.values_list("pk", flat=True))


class AppointmentViewSet(BulkViewSet[Appointment]):
    """Who holds which office of a department, and when."""

    queryset = Appointment.objects.all()
    list_serializer_class = serializers.AppointmentSerializer
    write_serializer_class = serializers.AppointmentWriter
    filterset_class = filters.AppointmentFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    crud = Crud(create=services.appoint, update=services.update_appointment, delete=services.end_appointment)


class ProgramViewSet(BulkViewSet[Program]):
    """Paths of study that end in an award."""

    queryset = Program.objects.all()
    made_of = ["departments.Program", *DepartmentViewSet.made_of]
    is_everybodys = True
    list_serializer_class = serializers.ProgramSerializer
    write_serializer_class = serializers.ProgramWriter
    filterset_class = filters.ProgramFilter
    ordering_fields = CODE_AND_NAME
    default_ordering = ("code",)
    searchable = True
    crud = Crud(
        create=services.create_program,
        update=services.update_program,
        delete=services.delete_program,
        delete_all=partial(remove_many, model=Program),
    )


class CampusViewSet(BulkViewSet[Campus]):
    """The sites of the university."""

    queryset = Campus.objects.all()
    made_of = ["departments.Campus"]
    is_everybodys = True
    list_serializer_class = serializers.CampusSerializer
    write_serializer_class = serializers.CampusWriter
    filterset_class = filters.CampusFilter
    ordering_fields = CODE_AND_NAME
    default_ordering = ("code",)
    searchable = True
    crud = Crud(create=services.create_campus, update=services.update_campus, delete=services.delete_campus)


class BuildingViewSet(BulkViewSet[Building]):
    """The buildings of a campus."""

    queryset = Building.objects.all()
    made_of = ["departments.Building", "departments.Campus"]
    is_everybodys = True
    list_serializer_class = serializers.BuildingSerializer
    write_serializer_class = serializers.BuildingWriter
    filterset_class = filters.BuildingFilter
    ordering_fields = CODE_AND_NAME
    default_ordering = ("code",)
    searchable = True
    crud = Crud(create=services.create_building, update=services.update_building, delete=services.delete_building)


class RoomViewSet(BulkViewSet[Room]):
    """The rooms of the university, for whatever takes place in them."""

    queryset = Room.objects.all()
    made_of = ["departments.Room", "departments.Building", "departments.Campus"]
    is_everybodys = True
    list_serializer_class = serializers.RoomSerializer
    write_serializer_class = serializers.RoomWriter
    filterset_class = filters.RoomFilter
    ordering_fields = {"code": "code", "capacity": "capacity", "created_at": "created_at"}
    default_ordering = ("code",)
    searchable = True
    crud = Crud(create=services.create_room, update=services.update_room, delete=services.delete_room)


class RoomReservationViewSet(BaseViewSet[RoomReservation]):
    """What takes place in rooms, and when; what has a room is changed where it belongs."""

    queryset = RoomReservation.objects.all()
    list_serializer_class = serializers.RoomReservationSerializer
    filterset_class = filters.RoomReservationFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)


class AcademicYearViewSet(BulkViewSet[AcademicYear]):
    """The years by which the university counts."""

    queryset = AcademicYear.objects.all()
    made_of = ["departments.AcademicYear"]
    is_everybodys = True
    list_serializer_class = serializers.AcademicYearSerializer
    write_serializer_class = serializers.AcademicYearWriter
    filterset_class = filters.AcademicYearFilter
    ordering_fields = {"code": "code", "starts_on": "starts_on", "created_at": "created_at"}
    default_ordering = ("-starts_on",)
    crud = Crud(
        create=services.create_academic_year,
        update=services.update_academic_year,
        delete=services.delete_academic_year,
    )


class TermViewSet(BulkViewSet[Term]):
    """Teaching periods and their states."""

    queryset = Term.objects.all()
    made_of = ["departments.Term", "departments.AcademicYear"]
    is_everybodys = True
    list_serializer_class = serializers.TermSerializer
    write_serializer_class = serializers.TermWriter
    write_serializers = {"move": serializers.MoveTermWriter}
    filterset_class = filters.TermFilter
    ordering_fields = {"code": "code", "starts_on": "starts_on", "created_at": "created_at"}
    default_ordering = ("-starts_on",)
    action_permissions = {"move": "departments.change_term"}
    crud = Crud(create=services.create_term, update=services.update_term, delete=services.delete_term)

    def lock_ahead(self, rows: QuerySet[Term], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the years that the terms are in, and are to be in."""
        if any({"academic_year", "starts_on", "ends_on"} & body.keys() for body in bodies):
            named = {*ids_at(bodies, "academic_year"), *rows.values_list("academic_year", flat=True)}
            services.lock_academic_years(named)

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move the term to another state."""
        return self.step(request, services.move_term)


class CalendarEventViewSet(BulkViewSet[CalendarEvent]):
    """Days on which the week is not as usual: holidays, and days that are taught as another weekday."""

    queryset = CalendarEvent.objects.all()
    made_of = ["departments.CalendarEvent", "departments.Campus"]
    is_everybodys = True
    list_serializer_class = serializers.CalendarEventSerializer
    write_serializer_class = serializers.CalendarEventWriter
    filterset_class = filters.CalendarEventFilter
    ordering_fields = {"starts_on": "starts_on", "created_at": "created_at"}
    default_ordering = ("starts_on",)
    crud = Crud(
        create=services.create_calendar_event,
        update=services.update_calendar_event,
        delete=services.delete_calendar_event,
    )
