"""The shape of the university.

Department 0..1 --- * Department          a tree
Department 1 --- * Appointment * --- 1 Person
Department 1 --- * Program
Campus 1 --- * Building 1 --- * Room
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
    "Room",
    "RoomKind",
    "Term",
    "TermState",
    "TermStateEvent",
]
