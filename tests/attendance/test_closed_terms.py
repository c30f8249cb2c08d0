"""A term that is closed: nobody is marked in it any more, by whatever way, and its sheets are locked in their time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from attendance import services
from attendance.models import AttendanceRecord, CheckInEvent, ClassSession, ExcuseRequest, Punch
from attendance.services import importing
from core.db.constraints import error_for
from core.errors import DomainError
from departments.models import Term
from departments.services import move_term
from tests.attendance.factories import (
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    CredentialFactory,
    ExcuseRequestFactory,
    ReaderFactory,
    usual_codes,
)
from tests.attendance.test_check_ins import comes, hall, opened
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import while_uncommitted

__all__ = ["hall"]
pytestmark = pytest.mark.django_db
NAME = "attendance_attendancerecord_term_open"


@pytest.fixture
def lesson():
    """A class that began an hour ago, in which one of two students was absent."""
    codes = usual_codes()
    section = SectionInstructorFactory(section__term=TermFactory(state="grading")).section
    lesson = ClassSessionFactory(section=section, room=RoomFactory(), marking="open")
    lesson.students = [EnrollmentFactory(section=section, enrolled_at=None) for _ in range(2)]
    lesson.mark = AttendanceRecordFactory(session=lesson, enrollment=lesson.students[0], code=codes.absent)
    return lesson


def close(session, state="closed"):
    Term.objects.filter(pk=session.section.term_id).update(state=state)


def again(session):
    return ClassSession.objects.get(pk=session.pk)


def marks():
    return list(AttendanceRecord.objects.values_list("pk", "code__code", "updated_at"))


def steps(session):
    """Yield the requests that would change who counts as having been there."""
    present = {"code": "present", "students": [str(row.student_id) for row in session.students]}
    line = {
        "client_id": str(uuid4()), "session": str(session.pk), "enrollment": str(session.students[1].pk),
        "code": "present", "made_at": session.starts_at.isoformat(), "version": 1,
    }  # fmt: skip
    page = f"{session.pk}/"
    yield "put", f"{page}roster/", {"marks": [], "default": "present"}
    yield "post", "bulk-mark/", {**present, "sessions": [str(session.pk)]}
    yield "post", "sync/", {"marks": [line]}
    yield "post", f"{page}open/", {"reason": "Mixed up"}
    yield "post", f"{page}close/", {}
    yield "post", f"{page}check-in/open/", {}
    yield "post", f"{page}cancel/", {"reason": "Ill"}
    yield "post", f"{page}reschedule/", {
        "starts_at": session.starts_at.isoformat(), "ends_at": session.ends_at.isoformat()
    }  # fmt: skip


@pytest.mark.parametrize("state", ["closed", "archived"])
def test_no_request_changes_who_was_there(lesson, registrar_client, state):
    close(lesson, state)
    before = marks(), again(lesson).version

    told = set()
    for method, path, body in steps(lesson):
        url = f"/api/v1/attendance/sessions/{path}"
        headers = {"If-Match": f'"{lesson.version}-0"'} if method == "put" else {}
        answer = getattr(registrar_client, method)(url, body, format="json", headers=headers).json()
        told.add(answer["data"]["results"][0]["error"]["code"] if path == "sync/" else answer["code"])

    assert told == {"term_closed"}
    assert (marks(), again(lesson).version) == before


def test_what_was_cancelled_or_locked_stays_so(lesson, registrar_client):
    locked = ClassSessionFactory(section=lesson.section, marking="locked")
    cancelled = ClassSessionFactory(section=lesson.section, status="cancelled")
    close(lesson)

    answers = [
        registrar_client.post(f"/api/v1/attendance/sessions/{row.pk}/{verb}/", {"reason": "Mixed up"}, format="json")
        for row, verb in ((locked, "unlock"), (cancelled, "reinstate"))
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "term_closed")] * 2


def test_neither_a_code_nor_a_reader_marks_anybody(hall):
    opened(hall)
    first, second, _ = hall.enrollments
    session = again(hall.session)
    session.room = RoomFactory()
    session.save()
    reader = ReaderFactory(room=session.room, account__is_service=True)
    CredentialFactory(student=second.student, credential_hash=services.readers.credential_hash("04A2"))
    close(session)

    assert comes(hall, 0) == "term_closed"
    seen = services.Seen(reader=reader.code, external_event_id="1", credential="04A2", at=hall.now)
    (taken,) = services.take_punches([seen], by=reader.account, at=hall.now)

    assert (taken.outcome, Punch.objects.get().outcome) == ("session_locked", "session_locked")
    assert not AttendanceRecord.objects.exists()
    assert not CheckInEvent.objects.exists()
    assert first.pk


def test_no_excuse_marks_anybody_or_gives_back_what_it_covered(lesson):
    absent, other = lesson.students
    now = timezone.now()
    approved = ExcuseRequestFactory(student=absent.student, status="submitted")
    services.approve_excuse(approved, by=None, at=now)
    late = ExcuseRequestFactory(student=other.student, status="submitted")
    close(lesson)
    before = marks()

    for step, excuse in ((services.approve_excuse, late), (services.revoke_excuse, approved)):
        with pytest.raises(DomainError) as refused:
            step(ExcuseRequest.objects.get(pk=excuse.pk), by=None, at=now)
        assert refused.value.error_code == "term_closed"
    ExcuseRequest.objects.filter(pk=late.pk).update(status="approved")
    assert services.apply_excuses(at=now) == 0

    assert marks() == before


def test_an_excuse_that_concerns_no_class_of_the_closed_term_is_approved(lesson):
    later = DateTimeTZRange(lesson.ends_at, lesson.ends_at + timedelta(days=1), "[)")
    excuse = ExcuseRequestFactory(student=lesson.students[0].student, status="submitted", period=later)
    close(lesson)

    assert services.approve_excuse(excuse, by=None, at=timezone.now()).status == "approved"


def test_no_import_marks_anybody(lesson):
    close(lesson)
    session = again(lesson)
    student = lesson.students[1].student_id

    found = importing.read_sheets([session], [student], by=None)
    report = importing.Report(session=session.pk, student=student, code="present")

    (done,) = importing.import_marks(found, [report], by=None, at=timezone.now())
    assert [error.error_code for error in done.refused] == ["term_closed"]


def test_sheets_of_a_closed_term_are_locked_by_the_chore_and_by_hand_without_marking_anybody(lesson):
    AttendancePolicyFactory(lock_after=7)
    ago = timezone.now() - timedelta(days=60)
    old = ClassSessionFactory(section=lesson.section, starts_at=ago, marking="open")
    excused = DateTimeTZRange(ago - timedelta(days=1), ago + timedelta(days=1), "[)")
    ExcuseRequestFactory(student=lesson.students[0].student, status="approved", period=excused)
    close(lesson)
    before = marks()

    assert services.lock_sessions(at=timezone.now()) == 1
    services.lock_session(again(lesson), by=None, at=timezone.now())

    assert (again(old).marking, again(lesson).marking) == ("locked", "locked")
    assert marks() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda lesson: AttendanceRecordFactory(session=lesson, enrollment=lesson.students[1]),
        lambda lesson: AttendanceRecord.objects.update(code=usual_codes().present),
        lambda lesson: AttendanceRecord.objects.update(minutes_late=5),
        lambda lesson: AttendanceRecord.objects.all().delete(),
    ],
    ids=["made", "changed", "minutes", "gone"],
)
def test_the_database_refuses_whatever_goes_past_the_services(lesson, change):
    close(lesson)

    with pytest.raises(IntegrityError) as violation, transaction.atomic():
        change(lesson)

    assert violation.value.__cause__.diag.constraint_name == NAME
    assert error_for(violation.value).error_code == "term_closed"


def test_what_is_no_mark_may_be_changed_after_all(lesson):
    close(lesson)

    assert AttendanceRecord.objects.update(client_id=uuid4(), updated_at=timezone.now()) == 1


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def mark(self, lesson):
        def marking():
            with transaction.atomic():
                row = ClassSession.objects.select_for_update(of=("self",), no_key=True).get(pk=lesson.pk)
                mark = services.Mark(enrollment=lesson.students[1].pk, code="present")
                services.mark_roster(row, marks=[mark], by=None, at=timezone.now())
            return "marked"

        return marking

    def closing(self, lesson):
        def closing():
            term = Term.objects.get(pk=lesson.section.term_id)
            return move_term(term, state="closed", by=None, at=timezone.now()).state

        return closing

    def test_who_closes_a_term_waits_for_whoever_is_marking_in_it(self, lesson):
        assert while_uncommitted(self.mark(lesson), self.closing(lesson)) == "closed"
        assert AttendanceRecord.objects.count() == 2

    def test_who_marks_while_a_term_is_being_closed_waits_and_is_refused(self, lesson):
        def marking():
            try:
                return self.mark(lesson)()
            except IntegrityError as violation:
                return error_for(violation).error_code

        assert while_uncommitted(self.closing(lesson), marking) == "term_closed"
        assert AttendanceRecord.objects.count() == 1
