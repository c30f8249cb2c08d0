"""The least valid students and program enrolments."""

from datetime import UTC, date, datetime

import factory
from django.db.backends.postgresql.psycopg_any import DateRange

from students.models import GuardianLink, ProgramEnrollment, Student
from tests.accounts.factories import PersonFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory


class StudentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Student

    person = factory.SubFactory(PersonFactory)
    student_no = factory.Sequence(lambda n: f"N{n:05}")
    department = factory.SubFactory(DepartmentFactory)


class GuardianLinkFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = GuardianLink

    student = factory.SubFactory(StudentFactory)
    person = factory.SubFactory(PersonFactory)
    relation = "parent"
    scopes = ["profile", "enrollments"]
    valid = DateRange(date(2020, 1, 1), None)
    verified_at = datetime(2020, 1, 1, tzinfo=UTC)


class ProgramEnrollmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProgramEnrollment

    student = factory.SubFactory(StudentFactory)
    program = factory.SubFactory(ProgramFactory)
