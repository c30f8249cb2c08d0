"""The least valid sessions, codes and records."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import factory
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone

from attendance.models import (
    AttendanceCode,
    AttendancePolicy,
    AttendanceRecord,
    CalendarFeed,
    CheckInEvent,
    CheckInWindow,
    ClassSession,
    Condonation,
    CoveredMark,
    Credential,
    DecisionRun,
    EligibilityDecision,
    ExcuseRequest,
    OfflineMark,
    Punch,
    Reader,
    Substitution,
)
from attendance.services.readers import credential_hash
from core.ids import new_id
from tests.accounts.factories import UserFactory
from tests.courses.factories import SectionFactory
from tests.departments.factories import RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory
from tests.students.factories import StudentFactory

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
    takes_minutes = factory.LazyAttribute(lambda row: row.code == "late")


class AttendancePolicyFactory(factory.django.DjangoModelFactory):
    """What the institution has always asked for."""

    class Meta:
        model = AttendancePolicy

    valid = DateRange(None, None, "[)")
    threshold = Decimal(75)
    condonation_floor = Decimal(65)


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


class CheckInWindowFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CheckInWindow

    session = factory.SubFactory(ClassSessionFactory)
    opens_at = factory.SelfAttribute("session.starts_at")
    closes_at = factory.SelfAttribute("session.ends_at")
    secret = "a secret that signs codes"


class CheckInEventFactory(factory.django.DjangoModelFactory):
    """An attempt that was refused."""

    class Meta:
        model = CheckInEvent

    session = factory.SubFactory(ClassSessionFactory)
    section = factory.SelfAttribute("session.section")
    student = factory.SubFactory(StudentFactory)
    outcome = "token_expired"
    at = factory.LazyAttribute(lambda row: row.session.starts_at)
    during = factory.LazyAttribute(lambda row: DateTimeTZRange(row.session.starts_at, row.session.ends_at, "[)"))
    device_hash = b"a device"


class ExcuseRequestFactory(factory.django.DjangoModelFactory):
    """An excuse for the day around now."""

    class Meta:
        model = ExcuseRequest

    student = factory.SubFactory(StudentFactory)
    kind = "medical"
    period = factory.LazyFunction(
        lambda: DateTimeTZRange(timezone.now() - timedelta(hours=12), timezone.now() + timedelta(hours=12), "[)")
    )


class EligibilityDecisionFactory(factory.django.DjangoModelFactory):
    """That somebody falls short who was there in seven of ten classes, which may be condoned."""

    class Meta:
        model = EligibilityDecision

    enrollment = factory.SubFactory(EnrollmentFactory)
    section = factory.SelfAttribute("enrollment.section")
    term = factory.SelfAttribute("enrollment.term")
    outcome = "short"
    attended = Decimal(7)
    counted = 10
    exempt = 0
    unmarked = 0
    policy_version = 0
    basis = "per_course"
    rounding = "exact"
    threshold = Decimal(75)
    condonation_floor = Decimal(65)
    bar = factory.SelfAttribute("threshold")
    floor_bar = factory.SelfAttribute("condonation_floor")
    decided_at = factory.LazyFunction(timezone.now)


class CondonationFactory(factory.django.DjangoModelFactory):
    """What it rests on that a shortage was condoned."""

    class Meta:
        model = Condonation

    decision = factory.SubFactory(
        EligibilityDecisionFactory, id=factory.LazyFunction(new_id), outcome="condoned", condoned_from=Decimal(65),
        condonation_id=factory.SelfAttribute("id"),
    )  # fmt: skip
    id = factory.SelfAttribute("decision.id")


class CoveredMarkFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CoveredMark

    session = factory.SubFactory(ClassSessionFactory)
    enrollment = factory.SubFactory(EnrollmentFactory, section=factory.SelfAttribute("..session.section"))
    excuse = factory.SubFactory(ExcuseRequestFactory, student=factory.SelfAttribute("..enrollment.student"))


class OfflineMarkFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OfflineMark

    user = factory.SubFactory(UserFactory)
    client_id = factory.LazyFunction(new_id)
    session = factory.SubFactory(ClassSessionFactory)
    enrollment = factory.SubFactory(EnrollmentFactory, section=factory.SelfAttribute("..session.section"))
    code = "present"
    made_at = factory.LazyFunction(timezone.now)
    made_on = 1
    outcome = "applied"


class ReaderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Reader

    code = factory.Sequence(lambda n: f"reader-{n}")
    name = "North door"
    room = factory.SubFactory(RoomFactory)
    account = factory.SubFactory(UserFactory, is_service=True)


class CredentialFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Credential

    student = factory.SubFactory(StudentFactory)
    credential_hash = factory.Sequence(lambda n: credential_hash(f"card {n}"))


class PunchFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Punch

    reader = factory.SubFactory(ReaderFactory)
    external_event_id = factory.Sequence(str)
    student = factory.SubFactory(StudentFactory)
    at = factory.LazyFunction(timezone.now)
    outcome = "no_session"


class SubstitutionFactory(factory.django.DjangoModelFactory):
    """Somebody was asked to teach a class of tomorrow, and has not answered."""

    class Meta:
        model = Substitution

    session = factory.SubFactory(
        ClassSessionFactory, starts_at=factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))
    )
    instructor = factory.SubFactory(FacultyFactory)
    substitute = factory.SubFactory(FacultyFactory)
    reason = "A conference"


def usual_codes() -> SimpleNamespace:
    """Return the codes that there are everywhere, by name."""
    return SimpleNamespace(
        **{
            code: AttendanceCodeFactory(code=code, weight=Decimal(weight), is_exempt=is_exempt)
            for code, (weight, is_exempt) in USUAL.items()
        }
    )


class CalendarFeedFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CalendarFeed

    user = factory.SubFactory(UserFactory)
    secret_hash = factory.LazyFunction(lambda: new_id().bytes * 2)
    made_at = factory.LazyFunction(timezone.now)


class DecisionRunFactory(factory.django.DjangoModelFactory):
    """That it is to be decided about a term."""

    class Meta:
        model = DecisionRun

    term = factory.SubFactory(TermFactory)
    sections_total = 1
