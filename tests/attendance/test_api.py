"""Single sessions over HTTP: shown, cancelled, moved; refused with both sides by name, and then nothing is changed."""

from datetime import UTC, date, datetime, time

import pytest

from accounts.roles import Role, ScopeKind
from attendance.models import ClassSession
from departments.models import RoomReservation
from faculty.models import FacultyReservation
from tests.attendance.conftest import generate, taught

LIST = "/api/v1/attendance/sessions/"
TO = {"starts_at": "2026-10-13T07:00:00Z", "ends_at": "2026-10-13T08:00:00Z"}


@pytest.fixture
def session(side):
    generate()
    return ClassSession.objects.filter(section=side.physics.section).earliest("starts_at")


def step(client, session, verb, **body):
    return client.post(f"{LIST}{session.pk}/{verb}/", body, format="json")


def test_a_session_reads_as_documented(side, session, registrar_client):
    data = registrar_client.get(f"{LIST}{session.pk}/").json()["data"]

    section, room = side.physics.section, side.room
    assert {name: data[name] for name in ("section", "room", "starts_at", "ends_at", "local_date", "status")} == {
        "section": {
            "id": str(section.pk), "code": "01", "course": {"id": str(section.course_id), "code": "PHY"},
            "term": {"id": str(section.term_id), "code": "T"},
        },
        "room": {"id": str(room.pk), "code": "R1", "building": room.building.code},
        "starts_at": "2026-10-12T07:00:00Z", "ends_at": "2026-10-12T08:30:00Z", "local_date": "2026-10-12",
        "status": "scheduled",
    }  # fmt: skip


def test_a_list_costs_at_most_three_queries_and_is_narrowed(
    side, session, registrar_client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(3):
        found = registrar_client.get(
            f"{LIST}?section={side.physics.section.pk}&date_from=2026-10-19&date_to=2026-10-26"
        ).json()["data"]

    assert [row["local_date"] for row in found] == ["2026-10-19", "2026-10-26"]


def test_who_moves_a_session_keeps_its_room_unless_they_name_another_or_none(side, session, registrar_client):
    def room_after(**named):
        answer = step(registrar_client, session, "reschedule", **TO, **named)
        assert answer.status_code == 200, answer.json()
        held = RoomReservation.objects.get(source=session.gathering)
        has_it = held.status == "approved" and held.slot.lower == datetime.fromisoformat(TO["starts_at"])
        return answer.json()["data"]["room"] and answer.json()["data"]["room"]["code"], has_it and held.room.code

    assert room_after() == ("R1", "R1")
    assert room_after(room=str(side.other_room.pk)) == room_after() == ("R2", "R2")
    assert room_after(room=None) == room_after() == (None, False)


def test_a_cancelled_session_frees_its_room_and_its_teacher(session, registrar_client):
    answer = step(registrar_client, session, "cancel", reason="Ill")

    assert (answer.json()["data"]["status"], answer.json()["data"]["note"]) == ("cancelled", "Ill")
    assert RoomReservation.objects.get(source=session.gathering).status == "cancelled"
    assert FacultyReservation.objects.get(source=session.gathering).cancelled_at
    again = step(registrar_client, session, "cancel")
    assert (again.status_code, again.json()["code"]) == (409, "session_cancelled")


def test_of_two_sections_that_gather_the_room_is_kept_until_neither_comes(side, registrar_client):
    taught(side, "PHY5", meeting=side.physics.meeting)
    generate()
    first, second = ClassSession.objects.order_by("starts_at", "pk")[:2]

    step(registrar_client, first, "cancel")
    assert RoomReservation.objects.get(source=first.gathering).status == "approved"
    step(registrar_client, second, "cancel")
    assert RoomReservation.objects.get(source=first.gathering).status == "cancelled"


def test_a_session_moves_with_all_that_gather_there(side, registrar_client):
    taught(side, "PHY5", meeting=side.physics.meeting)
    generate()
    session = ClassSession.objects.earliest("starts_at")

    answer = step(registrar_client, session, "reschedule", room=str(side.other_room.pk), **TO)

    assert answer.status_code == 200, answer.json()
    moved = ClassSession.objects.filter(gathering=session.gathering)
    assert {(f"{row.local_date}", row.room.code, f"{row.planned_on}") for row in moved} == {
        ("2026-10-13", "R2", "2026-10-12")
    }
    assert generate().written == 0
    reservation = RoomReservation.objects.get(source=session.gathering)
    assert (reservation.room, reservation.slot.lower) == (side.other_room, datetime(2026, 10, 13, 7, tzinfo=UTC))


def test_a_session_that_is_moved_across_midnight_is_on_the_day_that_it_begins(side, session, registrar_client):
    answer = step(
        registrar_client, session, "reschedule", starts_at="2026-10-13T21:30:00Z", ends_at="2026-10-13T23:30:00Z"
    )

    assert answer.json()["data"]["local_date"] == "2026-10-13"
    assert answer.json()["data"]["room"]["code"] == "R1"


def test_a_taken_room_is_refused_with_both_sides_and_nothing_moves(side, session, registrar_client):
    taught(side, "MAT", room=side.other_room, starts_at=time(9), ends_at=time(10))
    generate()
    own = {"starts_at": "2026-10-12T07:30:00Z", "ends_at": "2026-10-12T08:30:00Z"}

    answer = step(registrar_client, session, "reschedule", room=str(side.other_room.pk), **own)

    assert (answer.status_code, answer.json()["code"]) == (409, "room_conflict")
    (error,) = answer.json()["errors"]
    assert (error["meta"]["what"], error["meta"]["reservations"][0]["what"]) == ("PHY-01", "MAT-01")
    assert RoomReservation.objects.get(source=session.gathering).room == side.room
    session.refresh_from_db()
    assert (session.version, session.room) == (1, side.room)


def test_a_teacher_who_is_elsewhere_is_refused_with_both_sides(side, session, registrar_client):
    maths = taught(side, "MAT", room=None, starts_at=time(14), ends_at=time(15))
    maths.section.section_instructors.update(faculty=side.physics.faculty)
    generate()

    answer = step(
        registrar_client, session, "reschedule", starts_at="2026-10-12T12:30:00Z", ends_at="2026-10-12T13:30:00Z"
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "person_conflict")
    assert answer.json()["errors"][0]["meta"]["reservations"][0]["what"] == "MAT-01"
    assert RoomReservation.objects.get(source=session.gathering).status == "approved"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"ends_at": "2026-10-13T07:00:00Z"}, 400, "ends_before_start"),
        ({"ends_at": "2026-10-14T07:00:01Z"}, 400, "session_too_long"),
        ({"ends_at": "2026-10-13"}, 400, "invalid"),
        ({"starts_at": "9999-12-31T23:30:00Z", "ends_at": "9999-12-31T23:40:00Z"}, 400, "outside_term"),
        ({"starts_at": "0001-01-01T00:30:00Z", "ends_at": "0001-01-01T01:30:00Z"}, 400, "outside_term"),
        ({"room": "00000000-0000-0000-0000-000000000000"}, 400, "does_not_exist"),
    ],
)
def test_what_makes_no_sense_is_refused(session, registrar_client, changes, status, code):
    answer = step(registrar_client, session, "reschedule", **{**TO, **changes})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_a_term_at_the_end_of_time_has_no_day_after_it(side, session, registrar_client):
    year = side.term.academic_year
    year.ends_on = side.term.ends_on = date.max
    year.save()
    side.term.save()

    answer = step(
        registrar_client, session, "reschedule", starts_at="9999-12-31T23:30:00Z", ends_at="9999-12-31T23:40:00Z"
    )

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "outside_term")
    session.refresh_from_db()
    assert session.version == 1


def test_a_stale_version_is_refused(session, registrar_client):
    etag = registrar_client.get(f"{LIST}{session.pk}/").headers["ETag"]
    step(registrar_client, session, "reschedule", **TO)

    late = registrar_client.post(f"{LIST}{session.pk}/cancel/", {}, format="json", headers={"If-Match": etag})

    assert late.status_code == 412


def test_a_head_moves_what_only_their_department_attends(side, user_with, client_for):
    head = client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, side.physics.section.course.department_id))
    generate()
    own = ClassSession.objects.earliest("starts_at")
    assert step(head, own, "reschedule", **TO).status_code == 200

    taught(side, "ART", meeting=side.physics.meeting)
    generate()
    shared = ClassSession.objects.filter(section=side.physics.section).latest("starts_at")
    assert step(head, shared, "cancel").status_code == 403


def test_a_student_sees_when_classes_are_and_moves_none(session, user_with, client_for):
    student = client_for(user_with(Role.STUDENT, ScopeKind.SELF))

    assert len(student.get(LIST).json()["data"]) == 5
    assert step(student, session, "cancel").status_code == 403


def test_what_has_a_room_is_told_to_everybody(side, session, user_with, client_for):
    student = client_for(user_with(Role.STUDENT, ScopeKind.SELF))

    data = student.get(f"/api/v1/room-reservations/?room={side.room.pk}&kind=class").json()["data"]

    assert {row["what"] for row in data} == {"PHY-01"}
    assert {row["source"] for row in data} >= {str(session.gathering)}
