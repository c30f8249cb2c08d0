"""Sight of the university's shape: everybody sees it, those in charge manage their part."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
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
    TermStateEvent,
)
from departments.selectors import below


@grants(Department)
@grants(Program)
@grants(Appointment)
@grants(Campus)
@grants(Building)
@grants(Room)
@grants(RoomReservation)
@grants(AcademicYear)
@grants(CalendarEvent)
@grants(Term)
@grants(TermStateEvent)
def everybody_sees_the_shape_of_the_university(actor: Any) -> Q | None:
    return Q()


@grants(Department, "manage")
def those_in_charge_manage_their_departments(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "departments.change_department")
    if scopes.everywhere:
        return Q()
    return Q(pk__in=Department.objects.within(scopes.departments).values("pk")) if scopes.departments else None


@grants(Program, "manage")
def those_in_charge_manage_the_programs_of_their_departments(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "departments.change_program")
    if scopes.everywhere:
        return Q()
    return below(scopes.departments) if scopes.departments else None


@grants(Appointment, "manage")
def those_in_charge_of_the_institution_manage_appointments(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "departments.change_appointment").everywhere else None


@grants(Campus, "manage")
@grants(Building, "manage")
@grants(Room, "manage")
def those_in_charge_of_places_manage_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "departments.change_room").everywhere else None


@grants(AcademicYear, "manage")
@grants(CalendarEvent, "manage")
@grants(Term, "manage")
def those_in_charge_of_the_calendar_manage_it(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "departments.change_term").everywhere else None
