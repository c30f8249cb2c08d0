"""What marks come to is kept along with them, by whatever way they come, and is what a recount finds."""

import json
from collections import Counter
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance import calculation, services
from attendance.calculation import percent_of, tallies, tally_of, units
from attendance.events import ThresholdCrossed
from attendance.models import AttendanceCode, AttendanceRecord, AttendanceSummary, ClassSession
from attendance.models.policies import USUAL_ALERT_AFTER
from attendance.services import summaries
from core.errors import DomainError
from core.models import Chore, OutboxEvent
from enrollment import services as registration
from enrollment.models import Enrollment
from tests.attendance.factories import (
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    usual_codes,
)
from tests.attendance.test_standings import CODES, NOW, WEEK, marked, term_of
from tests.courses.factories import SectionFactory
from tests.departments.factories import ProgramFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
HALF_A_DAY = timedelta(hours=12)


def hold_against_marks(*enrollments):
    """Hold each summary against what the units come to, which are read from the marks one by one."""
    found = tallies([row.pk for row in enrollments], at=NOW)
    for row in enrollments:
        explained = tally_of(units(row.pk, at=NOW))
        summary = AttendanceSummary.objects.filter(enrollment=row.pk).first() or AttendanceSummary(attended=Decimal(0))
        assert found[row.pk] == explained
        assert (summary.counted, summary.exempt) == (explained.counted, explained.exempt)
        assert summary.percent == percent_of(explained.attended, explained.counted)
        assert summary.is_short == (explained.attended * 100 < found[row.pk].rule.bar * explained.counted)


class Term:
    """A section with classes of which some are over, and what may happen to it; `do` names each with two numbers."""

    def __init__(self):
        self.codes = list(CODES.values())
        usual_codes()
        self.section = SectionFactory(term=TermFactory(state="in_progress"), status="in_progress", capacity=90)
        AttendancePolicyFactory(late_weight=Decimal("0.5"), lates_per_absence=2)
        self.sessions = [
            ClassSessionFactory(section=self.section, starts_at=NOW + days * HALF_A_DAY) for days in range(-6, 3)
        ]
        self.enrollments = [self._somebody() for _ in range(3)]
        self.excuses = []

    def _somebody(self, at=NOW - 8 * HALF_A_DAY):
        return EnrollmentFactory(section=self.section, enrolled_at=at)

    def mark(self, session, n):
        row = self._session(session)
        expected = Enrollment.objects.filter(section=self.section).order_by("pk")
        one = services.Mark(enrollment=expected[n % len(self.enrollments)].pk, code=self.codes[n % 5])
        default = self.codes[n // 5 % 5] if n % 2 else None
        services.mark_roster(row, marks=[one], default=default, by=None, at=NOW)

    def open(self, session, n):
        services.open_session(self._session(session), by=None, at=NOW, reason="Somebody was missed")

    def close(self, session, n):
        services.close_session(self._session(session), by=None, at=NOW)

    def cancel(self, session, n):
        services.cancel_session(self._session(session), by=None, at=NOW, reason="Ill")

    def reinstate(self, session, n):
        services.reinstate_session(self._session(session), by=None, at=NOW, reason="By mistake")

    def reschedule(self, session, n):
        starts_at = NOW + (n - 12) * HALF_A_DAY
        services.reschedule_session(
            self._session(session), starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), by=None, at=NOW
        )

    def enrol(self, session, n):
        self.enrollments.append(self._somebody(NOW + (n - 12) * HALF_A_DAY))

    def drop(self, session, n):
        row = Enrollment.objects.get(pk=self.enrollments[n % len(self.enrollments)].pk)
        registration.withdraw(row, by=None, at=NOW + (n - 20) * HALF_A_DAY)

    def excuse(self, session, n):
        student = self.enrollments[n % len(self.enrollments)].student
        first = NOW + (n - 14) * HALF_A_DAY
        period = DateTimeTZRange(first, first + 2 * HALF_A_DAY, "[)")
        request = ExcuseRequestFactory(student=student, period=period)
        self.excuses.append(services.approve_excuse(request, by=None, at=NOW))

    def revoke(self, session, n):
        if self.excuses:
            services.revoke_excuse(self.excuses[n % len(self.excuses)], by=None, at=NOW)

    def _session(self, number):
        return ClassSession.objects.get(pk=self.sessions[number % len(self.sessions)].pk)


DEEDS = [
    "mark", "mark", "mark", "open", "close", "cancel", "reinstate", "reschedule", "enrol", "drop", "excuse", "excuse",
    "revoke",
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 8), st.integers(0, 24)), min_size=6, max_size=14)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_a_summary_is_what_a_recount_finds_and_the_units_add_up(db, steps):
    with transaction.atomic():
        term = Term()
        for deed, session, number in steps:
            try:
                with transaction.atomic():
                    getattr(term, deed)(session, number)
            except DomainError:
                continue
        hold_against_marks(*term.enrollments)
        assert list(services.verify_summaries(at=NOW)) == []
        transaction.set_rollback(True)


@pytest.fixture
def student():
    enrollment = EnrollmentFactory(section__term=TermFactory(state="in_progress"))
    enrollment.sessions = term_of(enrollment, "ppalle.")
    return enrollment


WAYS = {
    "rows written in bulk": lambda one: AttendanceRecord.objects.bulk_create(
        [
            AttendanceRecordFactory.build(
                session=one.sessions[-1], section=one.section, enrollment=one, code=usual_codes().absent,
                local_date=one.sessions[-1].local_date,
            )
        ]
    ),
    "marks changed at once": lambda one: AttendanceRecord.objects.update(code=usual_codes().late),
    "marks deleted": lambda one: AttendanceRecord.objects.filter(code=usual_codes().late).delete(),
    "a class cancelled in a table": lambda one: ClassSession.objects.filter(pk=one.sessions[0].pk).update(
        status="cancelled"
    ),
    "classes moved before the enrolment": lambda one: ClassSession.objects.update(
        starts_at=F("starts_at") - timedelta(days=900), ends_at=F("ends_at") - timedelta(days=900)
    ),
    "an enrolment that began later": lambda one: Enrollment.objects.update(enrolled_at=one.sessions[2].ends_at),
    "an enrolment that ended before": lambda one: Enrollment.objects.update(
        status="withdrawn", dropped_at=one.sessions[3].starts_at
    ),
    "a code that counts otherwise": lambda one: AttendanceCode.objects.filter(code="late").update(weight="0.250"),
    "a code that is exempt": lambda one: AttendanceCode.objects.filter(code="absent").update(is_exempt=True),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_summary_follows_what_no_service_has_written(student, way):
    before = AttendanceSummary.objects.get(enrollment=student.pk)

    WAYS[way](student)

    after = AttendanceSummary.objects.get(enrollment=student.pk)
    assert (after.counted, after.exempt, after.attended) != (before.counted, before.exempt, before.attended)
    hold_against_marks(student)


def test_the_usual_threshold_is_one_number(student):
    with connection.cursor() as cursor:
        cursor.execute("SELECT attendance_usual_threshold()")
        assert cursor.fetchone() == (calculation.USUAL.threshold,) == (calculation.USUAL.bar,)


def test_what_is_off_is_found_mended_and_announced(student, monkeypatch):
    others = [EnrollmentFactory(section=student.section) for _ in range(4)]
    marked(student.sessions[0], others[0], "p")
    AttendanceSummary.objects.filter(enrollment=student.pk).update(counted=7, attended=3)
    AttendanceSummary.objects.filter(enrollment=others[0].pk).delete()
    monkeypatch.setattr(summaries, "BATCH", 2)
    told = StringIO()

    call_command("verify_attendance", stdout=told)

    assert f"{student.pk}: counted 7 is 5, attended 3.000 is 4.000\n" in told.getvalue()
    assert "2 summaries mended." in told.getvalue()
    assert OutboxEvent.objects.filter(name="attendance.summary.mended").count() == 2
    assert Chore.objects.get(name="verify_attendance").count == 2
    hold_against_marks(student, *others)
    assert list(services.verify_summaries(at=NOW)) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("is_short = true", "is_short True is False"),
        ("percent = 12.34", "percent 12.34 is 80.00"),
        ("percent = NULL, is_short = true", "percent None is 80.00, is_short True is False"),
        ("counted = 9, percent = 44.44", "counted 9 is 5, percent 44.44 is 80.00"),
    ],
)
def test_a_wrong_percentage_or_judgment_is_told_as_what_is_miscounted_is(student, damage, told):
    other = EnrollmentFactory(section=student.section)
    marked(student.sessions[0], other, "p")
    with connection.cursor() as cursor:
        statement = f"UPDATE attendance_attendancesummary SET {damage} WHERE enrollment_id = %s"  # noqa: S608 - see above
        cursor.execute(statement, [student.pk])
    said = StringIO()

    call_command("verify_attendance", stdout=said)

    assert said.getvalue().splitlines() == [f"{student.pk}: {told}", "1 summaries mended."]
    event = OutboxEvent.objects.get(name="attendance.summary.mended")
    assert event.payload["enrollment_id"] == str(student.pk)
    assert event.payload["said"].keys() == event.payload["found"].keys()
    hold_against_marks(student, other)
    assert list(services.verify_summaries(at=NOW)) == []


def test_whom_another_policy_judges_by_now_was_not_judged_wrongly(student):
    assert not AttendanceSummary.objects.get(enrollment=student).is_short
    program = ProgramFactory()
    AttendancePolicyFactory(program=program, threshold=90)
    ProgramEnrollmentFactory(student=student.student, program=program, is_primary=True)

    assert list(services.verify_summaries(at=NOW)) == []

    assert AttendanceSummary.objects.get(enrollment=student).is_short


def test_a_recount_costs_the_same_however_many_are_counted(student):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            assert list(services.verify_summaries(at=NOW)) == []
        return len(captured)

    one = cost()
    for _ in range(5):
        marked(student.sessions[0], EnrollmentFactory(section=student.section), "a")

    assert cost() == one


def test_a_student_is_summed_up_without_a_look_at_their_marks(student, registrar_client):
    ClassSessionFactory(section=student.section, starts_at=timezone.now() - timedelta(days=1))
    with CaptureQueriesContext(connection) as captured:
        data = registrar_client.get(f"/api/v1/students/{student.student_id}/attendance/").json()["data"]
    (asked,) = (query["sql"] for query in captured if "attendance_attendancesummary" in query["sql"])

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of the few rows here each is read through otherwise
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")
        (found,) = cursor.fetchone()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    read = Counter(node.get("Relation Name", "") for node in nodes_of(plan) if node["Actual Loops"])

    assert data["total"]["counted"] == 5
    assert read["attendance_attendancesummary"] == read["attendance_classsession"] == 1
    assert not [name for name in read if name.startswith("attendance_attendancerecord")]
    own = {
        node.get("Index Name") for node in nodes_of(plan) if node.get("Relation Name") == "attendance_attendancesummary"
    }
    assert own <= {"attendance_summary_of_student", "attendance_attendancesummary_enrollment_id_key"}


def nodes_of(node):
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


def test_a_threshold_that_is_crossed_is_announced_once_in_each_direction():
    student = EnrollmentFactory(section__term=TermFactory(state="in_progress", ends_on=timezone.localdate() + WEEK))
    past = EnrollmentFactory(section__term=TermFactory(ends_on=timezone.localdate() - WEEK))
    AttendancePolicyFactory(alert_after=1)
    for enrollment in (student, past):
        term_of(enrollment, "pppapppa")

    events = OutboxEvent.objects.filter(name="attendance.threshold.crossed").order_by("seq")
    told = [(event.payload["is_short"], event.payload["percent"]) for event in events]
    assert {event.payload["enrollment_id"] for event in events} == {str(student.pk)}
    # Marked from the last class to the first.
    assert told == [(True, "0.00"), (False, "75.00"), (True, "60.00"), (False, "75.00")]
    assert events[0].payload.keys() == {field.name for field in fields(ThresholdCrossed)}


def test_nobody_is_told_of_a_shortage_before_as_many_classes_count_as_the_policy_says():
    lasting = TermFactory(state="in_progress", ends_on=timezone.localdate() + WEEK)
    usual, soon, late = (EnrollmentFactory(section__term=lasting) for _ in range(3))
    for enrollment, least in ((soon, 2), (late, 5)):
        AttendancePolicyFactory(section=enrollment.section, alert_after=least)
    told = {}
    for enrollment in (usual, soon, late):
        sessions = [ClassSessionFactory(section=enrollment.section, starts_at=NOW - days * WEEK) for days in range(6)]
        for count, session in enumerate(sessions, start=1):
            marked(session, enrollment, "a")
            summary = AttendanceSummary.objects.get(enrollment=enrollment)
            assert summary.is_short
            if summary.is_alerted:
                told.setdefault(enrollment.pk, count)
        AttendanceRecord.objects.filter(enrollment=enrollment).update(code=usual_codes().present)

    with connection.cursor() as cursor:
        cursor.execute("SELECT attendance_usual_alert_after()")
        assert cursor.fetchone() == (USUAL_ALERT_AFTER,) == (4,)
    assert told == {usual.pk: 4, soon.pk: 2, late.pk: 5}
    events = OutboxEvent.objects.filter(name="attendance.threshold.crossed").order_by("seq")
    assert [event.payload["is_short"] for event in events] == [True, False] * 3


def test_what_is_told_stays_told_until_it_is_over_though_fewer_classes_count():
    student = EnrollmentFactory(section__term=TermFactory(state="in_progress", ends_on=timezone.localdate() + WEEK))
    sessions = term_of(student, "aaaa")

    ClassSession.objects.filter(pk=sessions[0].pk).update(status="cancelled")

    assert AttendanceSummary.objects.get(enrollment=student).is_alerted
    assert OutboxEvent.objects.filter(name="attendance.threshold.crossed").count() == 1


def test_courses_that_are_judged_together_are_judged_anew_with_every_mark_in_any_of_them():
    AttendancePolicyFactory(basis="aggregate", alert_after=1)
    term = TermFactory(state="in_progress", ends_on=timezone.localdate() + WEEK)
    first = EnrollmentFactory(section__term=term)
    second, left = (
        EnrollmentFactory(student=first.student, section=SectionFactory(term=term), status=status, dropped_at=at)
        for status, at in (("enrolled", None), ("withdrawn", NOW))
    )
    stranger = EnrollmentFactory(section__term=term)
    for enrollment in (left, stranger):
        term_of(enrollment, "a")

    def short():
        rows = AttendanceSummary.objects.filter(enrollment__in=[first, second])
        found = dict(rows.values_list("enrollment", "is_short"))
        tallied = tallies([first.pk, second.pk], at=NOW)
        assert all(tallied[pk].is_short == is_short for pk, is_short in found.items())
        return found.get(first.pk), found.get(second.pk)

    term_of(first, "a")
    steps = [short()]
    term_of(second, "ppp")
    steps.append(short())
    marked(ClassSessionFactory(section=second.section, starts_at=NOW - WEEK), second, "a")
    steps.append(short())
    Enrollment.objects.filter(pk=second.pk).update(status="withdrawn", dropped_at=NOW)

    assert steps == [(True, None), (False, False), (True, True)]
    # Who has left a course is judged by what they attended of it alone, and the others are without it.
    assert short() == (True, False)
    told = OutboxEvent.objects.filter(name="attendance.threshold.crossed").order_by("seq")
    assert [row.payload["is_short"] for row in told if row.payload["enrollment_id"] == str(first.pk)] == [
        True, False, True,
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_courses_that_are_judged_together_and_marked_at_once_wait_for_one_another():
    AttendancePolicyFactory(basis="aggregate")
    first = EnrollmentFactory(section__term=TermFactory(state="in_progress"))
    second = EnrollmentFactory(student=first.student, section=SectionFactory(term=first.term))
    sessions = {row: term_of(row, "p")[0] for row in (first, second)}
    codes = usual_codes()

    def mark(row, starts_at):
        session = ClassSessionFactory(section=row.section, starts_at=starts_at)

        def act():
            AttendanceRecordFactory(
                session=session, enrollment=row, section=row.section, code=codes.absent, local_date=session.local_date
            )

        return act

    assert len(sessions) == 2
    at_once(*(mark(row, NOW - days * WEEK) for row in (first, second) for days in (2, 3)))

    found = AttendanceSummary.objects.filter(enrollment__in=[first, second]).values_list("counted", "is_short")
    assert list(found) == [(3, True), (3, True)]


@pytest.mark.django_db(transaction=True)
def test_somebody_who_leaves_while_they_are_marked_is_counted_once_and_rightly():
    codes = usual_codes()
    enrollment = EnrollmentFactory(section__term=TermFactory(state="in_progress"))
    sessions = [ClassSessionFactory(section=enrollment.section, starts_at=NOW - days * WEEK) for days in range(1, 4)]

    def mark(session):
        def act():
            AttendanceRecordFactory(
                session=session, enrollment=enrollment, section=enrollment.section, code=codes.present,
                local_date=session.local_date,
            )  # fmt: skip

        return act

    def leave():
        Enrollment.objects.filter(pk=enrollment.pk).update(status="withdrawn", dropped_at=sessions[1].starts_at)

    at_once(mark(sessions[0]), leave, mark(sessions[1]), mark(sessions[2]))

    hold_against_marks(enrollment)
    assert AttendanceSummary.objects.get(enrollment=enrollment.pk).counted == 1
