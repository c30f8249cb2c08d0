"""The least valid students and program enrolments."""

import factory

from students.models import ProgramEnrollment, Student
from tests.accounts.factories import PersonFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory


class StudentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Student

    person = factory.SubFactory(PersonFactory)
    student_no = factory.Sequence(lambda n: f"N{n:05}")
    department = factory.SubFactory(DepartmentFactory)


class ProgramEnrollmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProgramEnrollment

    student = factory.SubFactory(StudentFactory)
    program = factory.SubFactory(ProgramFactory)
