"""The least valid departments, places, years, terms and programs."""

from datetime import date
from decimal import Decimal

import factory

from departments.models import (
    AcademicYear,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    ProgramLevel,
    Room,
    Term,
)

YEAR = date(2026, 9, 1), date(2027, 8, 31)


class DepartmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Department

    code = factory.Sequence(lambda n: f"DEP{n}")
    name = factory.Sequence(lambda n: f"Department {n}")


class ProgramFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Program

    code = factory.Sequence(lambda n: f"PRG{n}")
    name = factory.Sequence(lambda n: f"Program {n}")
    level = ProgramLevel.BACHELOR
    department = factory.SubFactory(DepartmentFactory)
    total_credits = Decimal(180)


class CampusFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Campus

    code = factory.Sequence(lambda n: f"CAM{n}")
    name = factory.Sequence(lambda n: f"Campus {n}")


class BuildingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Building

    campus = factory.SubFactory(CampusFactory)
    code = factory.Sequence(lambda n: f"BLD{n}")
    name = factory.Sequence(lambda n: f"Building {n}")


class RoomFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Room

    building = factory.SubFactory(BuildingFactory)
    code = factory.Sequence(lambda n: f"R{n}")
    capacity = 30


class AcademicYearFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AcademicYear

    code = factory.Sequence(lambda n: f"Y{n}")
    name = factory.Sequence(lambda n: f"Year {n}")
    starts_on = YEAR[0]
    ends_on = YEAR[1]


class CalendarEventFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CalendarEvent

    name = factory.Sequence(lambda n: f"Event {n}")
    kind = "holiday"
    starts_on = date(2026, 10, 26)
    ends_on = date(2026, 10, 26)


class TermFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Term

    academic_year = factory.SubFactory(
        AcademicYearFactory,
        starts_on=factory.LazyAttribute(lambda year: min(YEAR[0], year.factory_parent.starts_on)),
        ends_on=factory.LazyAttribute(lambda year: max(YEAR[1], year.factory_parent.ends_on)),
    )
    code = factory.Sequence(lambda n: f"T{n}")
    name = factory.Sequence(lambda n: f"Term {n}")
    starts_on = date(2026, 9, 1)
    ends_on = date(2027, 1, 31)
    state = "registration"
