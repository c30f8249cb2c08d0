"""`seed_demo --attendance-months`: classes as the product makes them, and marks that add up."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Max, Min, Q

from attendance import services
from attendance.models import AttendanceRecord, AttendanceSummary, ClassSession, Marking, SessionStatus
from campushub360.demo.classes import Classes, months_before
from campushub360.demo.marks import Marks
from campushub360.demo.rows import Keys
from core.partitions.making import open_months
from departments.models import Department, RoomReservation, Term
from enrollment.models import Enrollment
from faculty.models import FacultyReservation
from tests.attendance.factories import ClassSessionFactory, usual_codes
from tests.courses.factories import SectionFactory
from tests.demo.seeding import TODAY, seeded
from tests.demo.test_seed_demo import university as dumped
from tests.departments.factories import TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db

NOW = datetime.combine(TODAY, time(0), UTC)
# The whole of the autumn term so far.
MONTHS = 3
MARK = ("session__gathering", "enrollment", "code__code", "minutes_late", "source", "marked_at", "local_date")


@pytest.fixture(scope="class")
def attended(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Provide the small university with the marks of some months."""
    with seeded(django_db_blocker, attendance_months=MONTHS):
        yield


@pytest.fixture(autouse=True)
def codes() -> None:
    """Provide what the migrations do; a test before may have emptied every table."""
    usual_codes()


@pytest.mark.usefixtures("attended")
class TestMonths:
    def test_most_were_there_some_were_not_and_a_few_fall_short(self) -> None:
        shares = Counter(dict(AttendanceRecord.objects.order_by().values_list("code__code").annotate(Count("pk"))))

        assert shares.total() > 40_000
        assert shares["present"] > 0.85 * shares.total()
        assert min(shares[code] for code in ("absent", "late", "excused")) > 0.005 * shares.total()
        short = AttendanceSummary.objects.filter(is_short=True, enrollment__status="enrolled").count()
        assert 0.01 < short / AttendanceSummary.objects.count() < 0.15

    def test_nobody_who_is_late_is_so_by_nothing(self) -> None:
        late = AttendanceRecord.objects.filter(code__code="late")

        assert not late.filter(Q(minutes_late=None) | Q(minutes_late=0)).exists()
        assert not AttendanceRecord.objects.exclude(code__code="late").exclude(minutes_late=None).exists()

    def test_the_months_before_the_day_are_marked_and_nothing_after_it(self) -> None:
        days = AttendanceRecord.objects.aggregate(first=Min("local_date"), last=Max("local_date"))

        assert date(2026, 8, 16) <= days["first"] <= date(2026, 9, 2)
        assert TODAY - timedelta(days=4) < days["last"] < TODAY

    def test_every_month_has_a_table_of_its_own(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM attendance_attendancerecord ORDER BY 1")
            tables = [name for (name,) in cursor.fetchall()]

        assert tables == [f"attendance_attendancerecord_2026{month}" for month in ("09", "10", "11")]

    def test_the_summaries_are_what_a_recount_finds(self) -> None:
        for term in Term.objects.all():
            assert list(services.verify_summaries(at=NOW, term=term)) == []

        marked = AttendanceRecord.objects.order_by().values("enrollment").distinct()
        assert AttendanceSummary.objects.filter(enrollment__in=marked).count() == marked.count() > 2_000

    def test_the_classes_are_those_that_the_timetable_has(self) -> None:
        term = Term.objects.get(state="in_progress")
        rows = ClassSession.objects.filter(section__term=term)
        before = set(rows.values_list("section", "gathering", "starts_at", "ends_at", "local_date", "room"))

        assert services.generate_sessions(at=NOW, term=term).written == 0

        assert set(rows.values_list("section", "gathering", "starts_at", "ends_at", "local_date", "room")) == before
        gatherings = rows.values("gathering").distinct()
        for model in (RoomReservation, FacultyReservation):
            assert model.objects.filter(source__in=gatherings).count() == gatherings.count()

    def test_a_class_to_come_has_no_mark_and_one_that_is_over_everybodys_or_nobodys(self) -> None:
        sessions = ClassSession.objects.annotate(marked=Count("records"))

        assert not sessions.filter(ends_at__gt=NOW).exclude(marked=0, marking=Marking.SCHEDULED).exists()
        assert not sessions.filter(marking=Marking.SCHEDULED).exclude(marked=0).exists()
        assert sessions.filter(ends_at__lte=NOW, marking=Marking.SCHEDULED).exists()
        for session in sessions.filter(marking__in=(Marking.OPEN, Marking.CLOSED))[::200]:
            expected = Enrollment.objects.filter(
                Q(dropped_at=None) | Q(dropped_at__gt=session.starts_at),
                section=session.section_id, enrolled_at__lt=session.ends_at,
            )  # fmt: skip
            assert session.marked == expected.count()
        assert not sessions.exclude(status=SessionStatus.SCHEDULED).exists()

    def test_every_mark_has_its_history(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit_change WHERE table_name = 'attendance_attendancerecord'")
            assert cursor.fetchone() == (AttendanceRecord.objects.count(),)


def test_terms_that_are_closed_have_the_marks_that_were_made_while_they_lasted() -> None:
    term = TermFactory(state="closed", starts_on=date(2026, 2, 1), ends_on=date(2026, 6, 30))
    session = ClassSessionFactory(
        section=SectionFactory(term=term), starts_at=datetime(2026, 3, 2, 9, tzinfo=UTC), marking=Marking.CLOSED
    )
    EnrollmentFactory(section=session.section, enrolled_at=None)
    span = SimpleNamespace(terms=[term], first=term.starts_on, now=NOW)

    Marks(cast(Classes, span), seed=1, keys=Keys(1, NOW)).load(SimpleNamespace(update=lambda made: None))

    assert (AttendanceRecord.objects.count(), Term.objects.get(pk=term.pk).state) == (1, "closed")


def test_a_seed_and_a_day_decide_about_every_mark() -> None:
    first = dumped(seed=7, today=TODAY, attendance_months=1)
    again = dumped(seed=7, today=TODAY, attendance_months=1)

    for table in ("ClassSession", "AttendanceRecord"):
        assert len(first[f"attendance.{table}"]) > 1_000
        assert again[f"attendance.{table}"] == first[f"attendance.{table}"]


def test_between_two_terms_the_months_are_the_last_of_the_former_one() -> None:
    call_command("seed_demo", today=date(2027, 7, 31), attendance_months=1, verbosity=0)

    days = AttendanceRecord.objects.aggregate(first=Min("local_date"), last=Max("local_date"))
    assert date(2027, 5, 30) <= days["first"] <= date(2027, 6, 2)
    assert days["last"] > date(2027, 6, 25)
    assert not ClassSession.objects.filter(local_date__gt=F("section__term__ends_on")).exists()


@pytest.mark.parametrize("number", [-1, 37, 10**9])
def test_months_that_the_university_does_not_have_are_refused(number: int) -> None:
    with pytest.raises(CommandError, match="from 0 to 36"):
        call_command("seed_demo", attendance_months=number)

    assert not Department.objects.exists()


def test_what_is_no_number_of_months_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid int value"):
        call_command("seed_demo", "--attendance-months", "three")


@pytest.mark.parametrize(
    ("day", "number", "before"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2028, 3, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 1, 15), 13, date(2024, 12, 15)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, number: int, before: date) -> None:
    assert months_before(day, number) == before


def test_months_of_the_past_are_made_once() -> None:
    table = AttendanceRecord._meta.db_table

    assert open_months(table, first=date(2019, 11, 30), last=date(2020, 1, 1)) == 3
    assert open_months(table, first=date(2019, 12, 1), last=date(2020, 2, 1)) == 1
