"""HTTP for faculty: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services.parts import lock_persons
from core.api.bulk import BulkViewSet
from core.api.nested import NestedListViewSet
from core.crud import Crud
from faculty import services
from faculty.api import filters, serializers
from faculty.models import Faculty, FacultyAppointment, FacultyStatusEvent


class FacultyViewSet(BulkViewSet[Faculty]):
    """Those who teach and do research, with the person each of them is."""

    queryset = Faculty.objects.all()
    list_serializer_class = serializers.FacultySerializer
    detail_serializer_class = serializers.FacultyDetailSerializer
    write_serializer_class = serializers.FacultyWriter
    write_serializers = {
        "create": serializers.NewFacultyWriter,
        "bulk_create": serializers.NewFacultyWriter,
        "change_status": serializers.ChangeFacultyStatusWriter,
    }
    filterset_class = filters.FacultyFilter
    ordering_fields = {
        "employee_no": "employee_no",
        "last_name": "person__last_name",
        "created_at": "created_at",
    }
    default_ordering = ("employee_no",)
    searchable = True
    action_permissions = {"change_status": "faculty.change_faculty"}
    crud = Crud(create=services.create_faculty, update=services.update_faculty, delete=services.delete_faculty)

    def lock_behind(self, rows: QuerySet[Faculty], bodies: Sequence[Mapping[str, Any]]) -> None:
        lock_persons(rows.values_list("person_id", flat=True))

    @action(detail=True, methods=["post"], url_path="change-status")
    def change_status(self, request: Request, pk: str) -> Response:
        """Move the member of faculty to another status; whoever goes holds no post any more."""
        return self.step(request, services.change_status)


class AppointmentsOfFacultyViewSet(NestedListViewSet[FacultyAppointment]):
    """The posts that a member of faculty holds and held."""

    queryset = FacultyAppointment.objects.all()
    parent_field = "faculty"
    list_serializer_class = serializers.FacultyAppointmentSerializer
    filterset_class = filters.FacultyAppointmentFilter
    ordering_fields = {"starts_on": "starts_on"}
    default_ordering = ("starts_on",)


class FacultyStatusHistoryViewSet(NestedListViewSet[FacultyStatusEvent]):
    """The steps of a member of faculty from status to status."""

    queryset = FacultyStatusEvent.objects.all()
    parent_field = "faculty"
    list_serializer_class = serializers.FacultyStatusEventSerializer
    filterset_class = filters.FacultyStatusHistoryFilter
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("happened_at",)
