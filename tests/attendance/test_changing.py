"""Classes that were marked, cancelled for a reason and brought back; what is announced, and who waits for whom."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from attendance import services
from attendance.calculation import tallies
from attendance.models import AttendanceRecord, CheckInWindow, ClassSession
from audit.models import Change
from core.models import OutboxEvent
from courses.services import move_section
from departments.models import RoomReservation
from departments.services import reserve_room
from faculty.models import FacultyReservation
from tests.attendance.conftest import BEFORE, generate, taught
from tests.attendance.factories import (
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    SubstitutionFactory,
    usual_codes,
)
from tests.attendance.test_generation import MONDAYS
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import outcome_of, while_uncommitted

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=3)


def step(client, session, verb, **body):
    return client.post(f"/api/v1/attendance/sessions/{session.pk}/{verb}/", body, format="json")


def codes(answer):
    return answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]


def announced(*names):
    found = OutboxEvent.objects.filter(name__in=[f"attendance.session.{name}" for name in names])
    return [(event.name.rpartition(".")[2], event.payload["session_id"]) for event in found.order_by("created_at")]


@pytest.fixture
def lesson():
    """A class that began an hour ago, with a student."""
    usual_codes()
    section = SectionInstructorFactory().section
    lesson = ClassSessionFactory(section=section)
    lesson.student = EnrollmentFactory(section=section, enrolled_at=None)
    return lesson


def absent(lesson):
    mark = services.Mark(enrollment=lesson.student.pk, code="absent")
    services.mark_roster(lesson, marks=[mark], by=None, at=timezone.now())


class TestCancelling:
    def test_what_was_marked_is_cancelled_for_a_reason_and_counts_again_once_it_is_back(self, lesson, registrar_client):
        absent(lesson)
        services.close_session(lesson, by=None, at=timezone.now())
        before = tallies([lesson.student.pk], at=timezone.now())

        silent = [step(registrar_client, lesson, "cancel", **body) for body in ({}, {"reason": ""})]
        cancelled = step(registrar_client, lesson, "cancel", reason="The teacher was ill")
        without = tallies([lesson.student.pk], at=timezone.now())
        back = step(registrar_client, lesson, "reinstate", reason="Somebody else taught it")

        assert [codes(answer) for answer in silent] == [(400, "reason_required", "reason")] * 2
        assert cancelled.json()["data"]["status"] == "cancelled"
        assert without != before
        data = back.json()["data"]
        assert (data["status"], data["marking"], data["note"]) == ("scheduled", "closed", "Somebody else taught it")
        assert tallies([lesson.student.pk], at=timezone.now()) == before

    @pytest.mark.parametrize("marking", ["open", "closed"])
    def test_a_sheet_on_which_nobody_is_marked_yet_asks_for_a_reason_too(self, lesson, registrar_client, marking):
        ClassSession.objects.update(marking=marking)

        assert codes(step(registrar_client, lesson, "cancel"))[1] == "reason_required"

    def test_so_does_a_class_in_which_an_excuse_has_marked_somebody(self, lesson, registrar_client):
        excuse = ExcuseRequestFactory(student=lesson.student.student, status="submitted")
        services.approve_excuse(excuse, by=None, at=timezone.now())
        assert AttendanceRecord.objects.filter(session=lesson).exists()

        assert codes(step(registrar_client, lesson, "cancel"))[1] == "reason_required"

    def test_what_nobody_has_begun_to_mark_needs_none(self, lesson, registrar_client):
        assert step(registrar_client, lesson, "cancel").status_code == 200

    def test_the_check_in_of_a_cancelled_class_shows_no_code_any_more(self, lesson):
        now = timezone.now()
        services.open_check_in(lesson, by=None, at=now)

        services.cancel_session(lesson, by=None, at=now + timedelta(seconds=5), reason="Ill")

        assert services.poster(lesson, by=None, at=now + timedelta(seconds=6)).token is None


class TestBringingBack:
    @pytest.fixture
    def cancelled(self, side):
        generate()
        session = ClassSession.objects.get(local_date=MONDAYS[0])
        return services.cancel_session(session, by=None, at=BEFORE, reason="Ill")

    def test_the_room_and_the_teacher_are_taken_again_and_the_timetable_leaves_it_alone(
        self, side, cancelled, registrar_client
    ):
        back = step(registrar_client, cancelled, "reinstate", reason="Well again")

        assert (back.status_code, back.json()["data"]["room"]["code"]) == (200, "R1")
        assert RoomReservation.objects.get(source=cancelled.gathering).status == "approved"
        held = FacultyReservation.objects.get(source=cancelled.gathering)
        assert (held.faculty, held.cancelled_at) == (side.physics.faculty, None)
        assert generate().written == 0
        change = Change.objects.filter(row_id=str(cancelled.pk), operation="update").latest("id")
        assert change.changes["note"] == ["Ill", "Well again"]
        assert change.actor_id is not None

    def test_nothing_comes_back_without_a_reason(self, cancelled, registrar_client):
        answers = [step(registrar_client, cancelled, "reinstate", **body) for body in ({}, {"reason": " "})]

        assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in answers] == [
            (400, "reason")
        ] * 2

    def test_a_room_that_is_taken_is_refused_with_both_sides_and_another_one_or_none_will_do(
        self, side, cancelled, registrar_client
    ):
        reserve_room(
            room=side.room, starts_at=cancelled.starts_at, ends_at=cancelled.ends_at, kind="event", what="Open house"
        )

        refused = step(registrar_client, cancelled, "reinstate", reason="Well again")
        assert refused.json()["errors"][0]["meta"]["reservations"][0]["what"] == "Open house"
        assert codes(refused) == (409, "room_conflict", "room")
        cancelled.refresh_from_db()
        assert (cancelled.status, cancelled.note) == ("cancelled", "Ill")
        elsewhere = step(registrar_client, cancelled, "reinstate", reason="Well again", room=str(side.other_room.pk))
        assert elsewhere.json()["data"]["room"]["code"] == "R2"
        services.cancel_session(ClassSession.objects.get(pk=cancelled.pk), by=None, at=BEFORE, reason="Ill")
        nowhere = step(registrar_client, cancelled, "reinstate", reason="Well again", room=None)
        assert nowhere.json()["data"]["room"] is None
        assert RoomReservation.objects.get(source=cancelled.gathering).status == "cancelled"

    def test_a_teacher_who_is_elsewhere_is_refused_with_both_sides(self, side, cancelled, registrar_client):
        maths = taught(side, "MAT", room=side.other_room)
        maths.section.section_instructors.update(faculty=side.physics.faculty)
        generate()

        refused = step(registrar_client, cancelled, "reinstate", reason="Well again")

        assert (refused.status_code, refused.json()["code"]) == (409, "person_conflict")
        assert RoomReservation.objects.get(source=cancelled.gathering).status == "cancelled"

    def test_what_gathers_with_others_comes_back_where_they_are_by_now(self, side, registrar_client):
        taught(side, "PHY5", meeting=side.physics.meeting)
        generate()
        first, second = ClassSession.objects.filter(local_date=MONDAYS[0]).order_by("pk")
        services.cancel_session(first, by=None, at=BEFORE, reason="Ill")
        services.reschedule_session(
            second, starts_at=second.starts_at + HOURS, ends_at=second.ends_at + HOURS, room=side.other_room, by=None,
            at=BEFORE,
        )  # fmt: skip

        back = step(registrar_client, first, "reinstate", reason="Well again", room=None)

        assert back.status_code == 200, back.json()
        rows = ClassSession.objects.filter(gathering=first.gathering).values_list("starts_at", "room", "status")
        assert set(rows) == {(second.starts_at, side.other_room.pk, "scheduled")}
        held = FacultyReservation.objects.filter(source=first.gathering, cancelled_at=None)
        assert held.count() == 2

    def test_nobody_is_marked_for_another_time_than_that_at_which_they_were(self, side, registrar_client):
        codes_ = usual_codes()
        taught(side, "PHY5", meeting=side.physics.meeting)
        generate()
        first, second = ClassSession.objects.filter(local_date=MONDAYS[0]).order_by("pk")
        AttendanceRecordFactory(session=first, enrollment=EnrollmentFactory(section=first.section), code=codes_.absent)
        services.cancel_session(first, by=None, at=BEFORE, reason="Ill")
        services.reschedule_session(
            second, starts_at=second.starts_at + HOURS, ends_at=second.ends_at + HOURS, by=None, at=BEFORE
        )

        assert codes(step(registrar_client, first, "reinstate", reason="Well again"))[1] == "session_marked"

    def test_who_substitutes_there_is_wanted_again_and_the_teacher_is_not(self, side, cancelled):
        asked = SubstitutionFactory(session=cancelled, instructor=side.physics.faculty, status="accepted")
        ClassSession.objects.filter(pk=cancelled.pk).update(substitute=asked.substitute)

        services.reinstate_session(ClassSession.objects.get(pk=cancelled.pk), by=None, at=BEFORE, reason="Well again")

        held = FacultyReservation.objects.filter(source=cancelled.gathering, cancelled_at=None)
        assert set(held.values_list("faculty", flat=True)) == {asked.substitute_id}

    def test_what_takes_place_and_what_belongs_to_a_cancelled_section_does_not_come_back(
        self, side, cancelled, registrar_client
    ):
        takes_place = ClassSession.objects.get(local_date=MONDAYS[1])
        assert codes(step(registrar_client, takes_place, "reinstate", reason="Why not"))[:2] == (
            409, "session_not_cancelled",
        )  # fmt: skip
        move_section(side.physics.section, status="cancelled", by=None, at=BEFORE)

        assert codes(step(registrar_client, cancelled, "reinstate", reason="Why not"))[:2] == (
            409, "section_cancelled",
        )  # fmt: skip


class TestAnnouncements:
    def test_what_becomes_of_a_class_is_announced_without_reasons(self, side, registrar_client):
        generate()
        first, second = ClassSession.objects.order_by("starts_at")[:2]

        step(registrar_client, first, "cancel", reason="Mr Smith is ill")
        step(registrar_client, first, "reinstate", reason="Mr Smith is well")
        to = {"starts_at": "2026-10-20T07:00:00Z", "ends_at": "2026-10-20T08:00:00Z"}
        step(registrar_client, second, "reschedule", reason="Mr Smith is ill", room=str(side.other_room.pk), **to)

        pk = str(first.pk)
        assert announced("cancelled", "reinstated", "rescheduled") == [
            ("cancelled", pk), ("reinstated", pk), ("rescheduled", str(second.pk)),
        ]  # fmt: skip
        moved = OutboxEvent.objects.get(name="attendance.session.rescheduled").payload
        assert (moved["from_starts_at"], moved["starts_at"], moved["room_id"]) == (
            "2026-10-19T07:00:00Z", "2026-10-20T07:00:00Z", str(side.other_room.pk),
        )  # fmt: skip
        assert "Smith" not in str(list(OutboxEvent.objects.values_list("payload", flat=True)))

    def test_sheets_that_become_final_and_are_opened_again_are_announced(self, lesson, registrar_client):
        step(registrar_client, lesson, "lock", reason="Done")
        step(registrar_client, lesson, "unlock", reason="Mr Smith was mixed up")
        step(registrar_client, lesson, "open", reason="Mr Smith was mixed up")
        step(registrar_client, lesson, "open")

        pk = str(lesson.pk)
        assert announced("locked", "reopened") == [("locked", pk), ("reopened", pk), ("reopened", pk)]
        assert "Smith" not in str(list(OutboxEvent.objects.values_list("payload", flat=True)))


@pytest.mark.django_db(transaction=True)
def test_whoever_moves_a_class_waits_for_whoever_marks_in_several_and_neither_waits_for_ever(side):
    taught(side, "MAT", meeting=side.physics.meeting)
    generate()
    low, high = ClassSession.objects.filter(local_date=MONDAYS[4]).order_by("pk")

    def lock(row):
        return lambda: ClassSession.objects.select_for_update(no_key=True).get(pk=row.pk)

    def move():
        with transaction.atomic():
            services.lock_gathered([high.gathering])
            row = lock(high)()
            services.reschedule_session(
                row, starts_at=row.starts_at + HOURS, ends_at=row.ends_at + HOURS, by=None, at=BEFORE
            )
            return "moved"

    # Whoever marks in both holds the lower, and wants the higher once the other waits.
    assert while_uncommitted(lock(low), lambda: outcome_of(move), then=lock(high)) == "moved"
    moved = ClassSession.objects.filter(gathering=high.gathering)
    assert set(moved.values_list("starts_at", flat=True)) == {high.starts_at + HOURS}


class TestCheckInsOfSheetsThatTakeNoMarks:
    def test_none_is_opened_for_a_closed_one(self, lesson, registrar_client):
        ClassSession.objects.update(marking="closed")

        assert codes(step(registrar_client, lesson, "check-in/open"))[:2] == (409, "session_closed")
        assert not CheckInWindow.objects.exists()

    def test_who_closes_a_sheet_ends_its_check_in(self, lesson):
        now = timezone.now()
        absent(lesson)
        services.open_check_in(lesson, by=None, at=now)

        services.close_session(lesson, by=None, at=now)

        assert services.poster(lesson, by=None, at=now).token is None
        assert CheckInWindow.objects.get().closes_at == now
