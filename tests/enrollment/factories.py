"""The least valid enrolments."""

from datetime import UTC, datetime
from decimal import Decimal

import factory

from enrollment.models import Enrollment
from tests.courses.factories import SectionFactory
from tests.students.factories import StudentFactory

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)


class EnrollmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Enrollment

    student = factory.SubFactory(StudentFactory)
    section = factory.SubFactory(SectionFactory)
    course = factory.SelfAttribute("section.course")
    term = factory.SelfAttribute("section.term")
    credits = Decimal("3.00")
    enrolled_at = NOON
