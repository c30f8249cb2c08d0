"""The least valid courses, sections and meetings."""

from datetime import date, time
from decimal import Decimal

import factory
from django.db.backends.postgresql.psycopg_any import DateRange

from courses import services
from courses.models import Course, Meeting, MeetingSection, Requisite, Section, SectionInstructor
from tests.departments.factories import DepartmentFactory, TermFactory
from tests.faculty.factories import FacultyFactory


class CourseFactory(factory.django.DjangoModelFactory):
    """A course and its version, which exist together or not at all."""

    class Meta:
        model = Course

    code = factory.Sequence(lambda n: f"CRS{n}")
    department = factory.SubFactory(DepartmentFactory)
    title = factory.Sequence(lambda n: f"Course {n}")
    credits = Decimal("3.00")

    @classmethod
    def _create(cls, model_class, **values):
        return services.create_course(by=None, **values)


class RequisiteFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Requisite

    course_version = factory.LazyFunction(lambda: CourseFactory().current_version)
    kind = "pre"
    expr = factory.LazyFunction(lambda: {"credits": "30"})

    @classmethod
    def _create(cls, model_class, **values):
        return services.create_requisite(by=None, **values)


class SectionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Section

    course = factory.SubFactory(CourseFactory)
    course_version = factory.LazyAttribute(lambda section: section.course.current_version)
    term = factory.SubFactory(TermFactory)
    code = factory.Sequence(lambda n: f"{n:02}")
    capacity = 30
    status = "open"


class SectionInstructorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SectionInstructor

    section = factory.SubFactory(SectionFactory)
    faculty = factory.SubFactory(FacultyFactory)
    role = "primary"
    share = Decimal(100)


class MeetingFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Meeting

    weekday = 1
    starts_at = time(9)
    ends_at = time(10)
    dates = DateRange(date(2026, 9, 1), date(2027, 2, 1), "[)")


class MeetingSectionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MeetingSection

    meeting = factory.SubFactory(MeetingFactory)
    section = factory.SubFactory(SectionFactory)
