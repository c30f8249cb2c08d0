"""The shape of the university.

Department 0..1 --- * Department          a tree
Department 1 --- * Appointment * --- 1 Person
Department 1 --- * Program
Campus 1 --- * Building 1 --- * Room 1 --- * RoomReservation
AcademicYear 1 --- * Term 1 --- * TermStateEvent
Campus 0..1 --- * CalendarEvent
"""

from departments.models.calendar import (
    AcademicYear,
    CalendarEvent,
    CalendarEventKind,
    Term,
    TermState,
    TermStateEvent,
)
from departments.models.organisation import (
    Appointment,
    AppointmentRole,
    Department,
    DepartmentKind,
    Program,
    ProgramLevel,
)
from departments.models.places import Building, Campus, Room, RoomKind
from departments.models.reservations import ReservationKind, ReservationStatus, RoomReservation

__all__ = [
    "AcademicYear",
    "Appointment",
    "AppointmentRole",
    "Building",
    "CalendarEvent",
    "CalendarEventKind",
    "Campus",
    "Department",
    "DepartmentKind",
    "Program",
    "ProgramLevel",
    "ReservationKind",
    "ReservationStatus",
    "Room",
    "RoomKind",
    "RoomReservation",
    "Term",
    "TermState",
    "TermStateEvent",
]
