"""The least valid faculty."""

from datetime import date

import factory
from django.db.backends.postgresql.psycopg_any import DateRange

from faculty.models import Faculty, FacultyAppointment, Rank
from tests.accounts.factories import PersonFactory
from tests.departments.factories import DepartmentFactory


class FacultyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Faculty

    person = factory.SubFactory(PersonFactory)
    employee_no = factory.Sequence(lambda n: f"E{n:05}")
    rank = Rank.LECTURER
    department = factory.SubFactory(DepartmentFactory)


class FacultyAppointmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = FacultyAppointment

    faculty = factory.SubFactory(FacultyFactory)
    department = factory.SelfAttribute("faculty.department")
    rank = factory.SelfAttribute("faculty.rank")
    valid = DateRange(date(2020, 9, 1), None, "[)")
