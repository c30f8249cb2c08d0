"""Administration pages for the shape of the university."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget

from core.admin import ServiceAdmin
from core.admin_history import status_action
from core.crud import Crud
from departments import services
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


class AppointmentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An office, who holds it, and from which day until which."""

    starts_on = forms.DateField(required=False, widget=AdminDateWidget, help_text="Empty: today.")
    ends_on = forms.DateField(
        required=False, widget=AdminDateWidget, help_text="The first day after it. Empty: until further notice."
    )

    class Meta:
        model = Appointment
        fields = ["department", "person", "role"]


@admin.register(Appointment)
class AppointmentAdmin(ServiceAdmin):
    form = AppointmentForm
    # An office that was given stays as it was; what changes is when it ends.
    crud = Crud(create=services.appoint, delete=services.end_appointment)
    service_arguments = frozenset({"starts_on", "ends_on"})
    list_display = ("department", "person", "role", "valid")
    list_filter = ("role",)
    list_select_related = ("department", "person")
    autocomplete_fields = ("department", "person")
    search_fields = ("department__search_text", "person__search_name")


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


@admin.register(RoomReservation)
class RoomReservationAdmin(ServiceAdmin):
    """What takes place in rooms, to be read; it is changed where it belongs."""

    list_display = ("room", "slot", "kind", "what", "status", "conflict_waived")
    list_filter = ("kind", "status")
    list_select_related = ("room",)
    search_fields = ("what", "room__code")


@admin.register(AcademicYear)
class AcademicYearAdmin(ServiceAdmin):
    crud = Crud(
        create=services.create_academic_year,
        update=services.update_academic_year,
        delete=services.delete_academic_year,
    )
    list_display = ("code", "name", "starts_on", "ends_on")
    search_fields = ("code", "name")


def _move(term: Term, *, status: str, by: Any, at: datetime) -> Term:
    return services.move_term(term, state=status, by=by, at=at)


@admin.register(Term)
class TermAdmin(ServiceAdmin):
    crud = Crud(create=services.create_term, update=services.update_term, delete=services.delete_term)
    list_display = ("code", "name", "academic_year", "starts_on", "ends_on", "state")
    list_filter = ("state",)
    list_select_related = ("academic_year",)
    search_fields = ("code", "name")
    readonly_fields = ("state", *ServiceAdmin.readonly_fields)
    actions = tuple(status_action(state, _move) for state in TermState if state != TermState.PLANNED)


@admin.register(CalendarEvent)
class CalendarEventAdmin(ServiceAdmin):
    crud = Crud(
        create=services.create_calendar_event,
        update=services.update_calendar_event,
        delete=services.delete_calendar_event,
    )
    list_display = ("name", "kind", "campus", "starts_on", "ends_on", "taught_as")
    list_filter = ("kind", "campus")
    list_select_related = ("campus",)
    search_fields = ("name",)
