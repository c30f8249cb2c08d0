"""Administration pages for the shape of the university."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin import ServiceAdmin
from core.crud import Crud
from core.errors import DomainError
from departments import services
from departments.models import AcademicYear, Appointment, Building, Campus, Department, Program, Room, Term, TermState


@admin.register(Department)
class DepartmentAdmin(ServiceAdmin):
    crud = Crud(create=services.create_department, update=services.update_department, delete=services.delete_department)
    list_display = ("code", "name", "kind", "parent", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("parent",)
    search_fields = ("code", "name")
    autocomplete_fields = ("parent",)


@admin.register(Program)
class ProgramAdmin(ServiceAdmin):
    crud = Crud(create=services.create_program, update=services.update_program, delete=services.delete_program)
    list_display = ("code", "name", "level", "department", "total_credits", "is_active")
    list_filter = ("level", "is_active")
    list_select_related = ("department",)
    search_fields = ("code", "name")
    autocomplete_fields = ("department",)


@admin.register(Appointment)
class AppointmentAdmin(ServiceAdmin):
    # An appointment's days are one range, which the API writes; here they are read and ended.
    crud = Crud(delete=services.end_appointment)
    list_display = ("department", "person", "role", "valid")
    list_filter = ("role",)
    list_select_related = ("department", "person")


@admin.register(Campus)
class CampusAdmin(ServiceAdmin):
    crud = Crud(create=services.create_campus, update=services.update_campus, delete=services.delete_campus)
    list_display = ("code", "name", "time_zone", "is_active")
    search_fields = ("code", "name")


@admin.register(Building)
class BuildingAdmin(ServiceAdmin):
    crud = Crud(create=services.create_building, update=services.update_building, delete=services.delete_building)
    list_display = ("code", "name", "campus")
    list_filter = ("campus",)
    list_select_related = ("campus",)
    search_fields = ("code", "name")


@admin.register(Room)
class RoomAdmin(ServiceAdmin):
    crud = Crud(create=services.create_room, update=services.update_room, delete=services.delete_room)
    list_display = ("code", "building", "capacity", "exam_capacity", "kind", "is_bookable")
    list_filter = ("kind", "is_bookable")
    list_select_related = ("building",)
    search_fields = ("code", "name")
    autocomplete_fields = ("building",)


@admin.register(AcademicYear)
class AcademicYearAdmin(ServiceAdmin):
    crud = Crud(
        create=services.create_academic_year,
        update=services.update_academic_year,
        delete=services.delete_academic_year,
    )
    list_display = ("code", "name", "starts_on", "ends_on")
    search_fields = ("code", "name")


@admin.register(Term)
class TermAdmin(ServiceAdmin):
    crud = Crud(create=services.create_term, update=services.update_term, delete=services.delete_term)
    list_display = ("code", "name", "academic_year", "starts_on", "ends_on", "state")
    list_filter = ("state",)
    list_select_related = ("academic_year",)
    search_fields = ("code", "name")
    readonly_fields = ("state", *ServiceAdmin.readonly_fields)
    actions = ("open_registration", "begin_teaching", "begin_grading", "close")

    def _move(self, request: HttpRequest, queryset: QuerySet[Any], state: str) -> None:
        actor: Any = request.user
        for term in queryset:
            try:
                with transaction.atomic():
                    services.move_term(term, state=state, by=actor, at=timezone.now())
            except DomainError as refused:
                self.message_user(request, f"{term}: {refused.detail}", messages.ERROR)

    @admin.action(description="Open registration", permissions=["change"])
    def open_registration(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, TermState.REGISTRATION)

    @admin.action(description="Begin teaching", permissions=["change"])
    def begin_teaching(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, TermState.IN_PROGRESS)

    @admin.action(description="Begin grading", permissions=["change"])
    def begin_grading(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, TermState.GRADING)

    @admin.action(description="Close", permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._move(request, queryset, TermState.CLOSED)
