"""The least valid sessions, codes and records."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import factory
from django.utils import timezone

from attendance.models import AttendanceCode, AttendanceRecord, ClassSession
from core.ids import new_id
from tests.courses.factories import SectionFactory
from tests.enrollment.factories import EnrollmentFactory

# What a migration puts there, and what a test that empties the tables takes away.
USUAL = {
    "present": ("1", False), "absent": ("0", False), "late": ("1", False), "excused": ("0", True),
    "on_duty": ("1", False),
}  # fmt: skip


class AttendanceCodeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AttendanceCode
        django_get_or_create = ("code",)

    code = factory.Sequence(lambda n: f"code_{n}")
    label = factory.LazyAttribute(lambda row: row.code.capitalize())
    weight = Decimal(1)


class ClassSessionFactory(factory.django.DjangoModelFactory):
    """A session that began an hour ago."""

    class Meta:
        model = ClassSession

    section = factory.SubFactory(SectionFactory)
    gathering = factory.LazyFunction(new_id)
    starts_at = factory.LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + timedelta(minutes=90))
    local_date = factory.LazyAttribute(lambda row: row.starts_at.date())
    planned_on = factory.SelfAttribute("local_date")


class AttendanceRecordFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AttendanceRecord

    session = factory.SubFactory(ClassSessionFactory)
    section = factory.SelfAttribute("session.section")
    enrollment = factory.SubFactory(EnrollmentFactory, section=factory.SelfAttribute("..section"))
    local_date = factory.SelfAttribute("session.local_date")
    code = factory.SubFactory(AttendanceCodeFactory, code="present")
    marked_at = factory.LazyFunction(timezone.now)


def usual_codes() -> SimpleNamespace:
    """Return the codes that there are everywhere, by name."""
    return SimpleNamespace(
        **{
            code: AttendanceCodeFactory(code=code, weight=Decimal(weight), is_exempt=is_exempt)
            for code, (weight, is_exempt) in USUAL.items()
        }
    )
