"""Many sessions in one request, and marks that were made where nothing could be reached."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from attendance.models import AttendanceRecord, ClassSession, ExcuseRequest, OfflineMark
from attendance.services import sheets
from tests.attendance.factories import (
    AttendanceCodeFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    usual_codes,
)
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
BULK, SYNC = "/api/v1/attendance/sessions/bulk-mark/", "/api/v1/attendance/sessions/sync/"
HOUR = timedelta(hours=1)


@pytest.fixture
def teacher(user_with, client_for):
    """A teacher of a section with three students and three classes that are over."""
    taught = SectionInstructorFactory()
    client = client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))
    client.codes = usual_codes()
    AttendanceCodeFactory(code="excursion")
    client.now = timezone.now()
    client.section = taught.section
    client.sessions = [
        ClassSessionFactory(section=taught.section, starts_at=client.now - hours * HOUR) for hours in (9, 6, 3)
    ]
    client.class_ = [EnrollmentFactory(section=taught.section) for _ in range(3)]
    return client


def bulk(client, *, students=None, **more):
    students = client.class_[:2] if students is None else students
    given = {"code": "excursion", "students": [str(row.student_id) for row in students], **more}
    if "sessions" not in given and "section" not in given:
        given["sessions"] = [str(row.pk) for row in client.sessions]
    return client.post(BULK, given, format="json")


def codes_of(answer):
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def marked(session):
    return dict(AttendanceRecord.objects.filter(session=session).values_list("enrollment", "code__code"))


def test_students_are_marked_in_the_sessions_that_are_named(teacher):
    first, second, _ = teacher.class_
    AttendanceRecordFactory(session=teacher.sessions[0], enrollment=first, code=teacher.codes.excused, source="excuse")

    answer = bulk(teacher)

    results = answer.json()["data"]["results"]
    assert [(row["session"], row["marked"], row["errors"]) for row in results] == [
        (str(session.pk), count, []) for session, count in zip(teacher.sessions, (1, 2, 2), strict=True)
    ]
    assert (results[0]["kept"], results[0]["marking"]) == ([str(first.pk)], "open")
    assert marked(teacher.sessions[0]) == {first.pk: "excused", second.pk: "excursion"}
    assert marked(teacher.sessions[2]) == {first.pk: "excursion", second.pk: "excursion"}
    assert bulk(teacher).json()["data"]["results"][1]["marked"] == 2


def test_students_are_marked_in_the_sessions_of_a_section_within_a_time(teacher):
    span = {"starts_at": teacher.now - 7 * HOUR, "ends_at": teacher.now}

    answer = bulk(teacher, section=str(teacher.section.pk), **span)

    assert [row["session"] for row in answer.json()["data"]["results"]] == [str(row.pk) for row in teacher.sessions[1:]]
    nothing = bulk(teacher, section=str(teacher.section.pk), starts_at=teacher.now, ends_at=teacher.now + HOUR)
    assert codes_of(nothing) == [("no_sessions", "section")]
    neither = bulk(teacher, sessions=[str(teacher.sessions[0].pk)], starts_at=teacher.now)
    assert neither.json()["errors"][0]["code"] == "which_sessions"


@pytest.mark.checklist(9)
def test_one_session_that_is_refused_undoes_all_of_them(teacher):
    closed, coming = teacher.sessions[0], ClassSessionFactory(section=teacher.section, starts_at=teacher.now + HOUR)
    ClassSession.objects.filter(pk=closed.pk).update(marking="closed")
    stranger = EnrollmentFactory()
    sessions = [str(row.pk) for row in (*teacher.sessions, coming)]

    answer = bulk(teacher, sessions=sessions, students=[*teacher.class_, stranger])

    assert answer.status_code == 409
    assert codes_of(answer) == [
        ("session_closed", "sessions.0.marking"), ("roster_mismatch", "sessions.0.students"),
        ("roster_mismatch", "sessions.1.students"), ("roster_mismatch", "sessions.2.students"),
        ("session_not_begun", "sessions.3.starts_at"), ("roster_mismatch", "sessions.3.students"),
    ]  # fmt: skip
    assert not AttendanceRecord.objects.exists()
    others = bulk(teacher, sessions=sessions, mode="best_effort").json()["data"]["results"]
    assert [(row["marked"], [each["code"] for each in row["errors"]]) for row in others] == [
        (0, ["session_closed"]), (2, []), (2, []), (0, ["session_not_begun"]),
    ]  # fmt: skip
    assert marked(closed) == marked(coming) == {}


@pytest.mark.checklist(8)
def test_what_is_out_of_sight_or_named_twice_or_no_code_marks_nobody(teacher):
    foreign, own = ClassSessionFactory(), str(teacher.sessions[0].pk)
    answers = [
        bulk(teacher, sessions=[own, str(foreign.pk)]),
        bulk(teacher, sessions=[own, str(uuid4())]),
        bulk(teacher, sessions=[own, own]),
        bulk(teacher, students=[teacher.class_[0]] * 2),
        bulk(teacher, code="mood"),
        bulk(teacher, minutes_late=5),
    ]

    assert [(answer.status_code, codes_of(answer)) for answer in answers] == [
        (400, [("does_not_exist", "sessions.1")]), (400, [("does_not_exist", "sessions.1")]),
        (400, [("duplicate_line", "sessions.1")]), (400, [("duplicate_line", "students.1")]),
        (400, [("unknown_code", "code")]), (400, [("lateness_not_applicable", "minutes_late")]),
    ]  # fmt: skip
    assert not AttendanceRecord.objects.exists()


def queued(client, place, enrollment, code, *, ago=HOUR, version=1, client_id=None, **more):
    return {
        "client_id": str(client_id or uuid4()), "session": str(client.sessions[place].pk),
        "enrollment": str(enrollment.pk), "code": code, "made_at": (client.now - ago).isoformat(),
        "version": version, **more,
    }  # fmt: skip


def sync(client, *marks):
    answer = client.post(SYNC, {"marks": list(marks)}, format="json")
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]["results"]


def told(results):
    return [(row["outcome"], row["standing"]) for row in results]


def test_what_was_marked_offline_arrives_once_however_often_it_is_sent(teacher):
    first, second, _ = teacher.class_
    marks = [queued(teacher, 0, first, "absent"), queued(teacher, 2, second, "late", minutes_late=4)]

    sent = sync(teacher, *marks)
    again = sync(teacher, *marks, queued(teacher, 1, first, "present"))

    assert told(sent) == [("applied", "absent"), ("applied", "late")]
    assert [row["replayed"] for row in again] == [True, True, False]
    assert told(again) == [*told(sent), ("applied", "present")]
    record = AttendanceRecord.objects.get(session=teacher.sessions[2])
    assert (record.minutes_late, record.marked_at, str(record.client_id)) == (
        4, teacher.now - HOUR, marks[1]["client_id"],
    )  # fmt: skip
    assert ClassSession.objects.get(pk=teacher.sessions[0].pk).version == 2


def test_of_two_the_later_mark_wins_and_the_other_is_told_what_stands(teacher):
    first, second, third = teacher.class_
    for enrollment, ago in ((first, HOUR / 2), (second, 2 * HOUR)):
        AttendanceRecordFactory(
            session=teacher.sessions[0], enrollment=enrollment, code=teacher.codes.present, marked_at=teacher.now - ago
        )
    ClassSession.objects.filter(pk=teacher.sessions[0].pk).update(version=2, marking="open")
    early, late = (queued(teacher, 0, row, "absent") for row in (first, second))
    twice = [queued(teacher, 0, third, code, ago=ago) for code, ago in (("late", HOUR / 4), ("absent", HOUR))]

    results = sync(teacher, early, late, *twice)

    assert told(results) == [
        ("conflict", "present"), ("applied", "absent"), ("applied", "late"), ("superseded", "late"),
    ]  # fmt: skip
    assert told(sync(teacher, early)) == [("conflict", "present")]
    # On the sheet as it is now a slow clock does not matter.
    assert told(sync(teacher, queued(teacher, 0, first, "absent", ago=2 * HOUR, version=3))) == [("applied", "absent")]


def test_who_confirms_a_mark_marked_later_than_what_was_made_before_that(teacher):
    enrollment, session = teacher.class_[0], teacher.sessions[0]
    for ago in (2 * HOUR, HOUR / 2):
        services.mark_roster(
            ClassSession.objects.get(pk=session.pk), marks=[services.Mark(enrollment=enrollment.pk, code="absent")],
            by=None, at=teacher.now - ago,
        )  # fmt: skip

    assert told(sync(teacher, queued(teacher, 0, enrollment, "present"))) == [("conflict", "absent")]
    assert told(sync(teacher, queued(teacher, 0, enrollment, "absent", version=9))) == [("applied", "absent")]
    assert AttendanceRecord.objects.get(session=session).marked_at == teacher.now - HOUR / 2


@pytest.mark.parametrize("source", ["import", "reader", "qr"])
def test_what_no_person_has_marked_gives_way_whenever_it_came(teacher, source):
    first, second, _ = teacher.class_
    excuse = ExcuseRequestFactory(student=second.student)
    for row in (first, second):
        AttendanceRecordFactory(
            session=teacher.sessions[0], enrollment=row, code=teacher.codes.present, source=source,
            marked_at=teacher.now,
        )  # fmt: skip
    services.approve_excuse(excuse, by=None, at=teacher.now)

    results = sync(teacher, *(queued(teacher, 0, row, "absent", version=9) for row in (first, second)))

    assert told(results) == [("applied", "absent"), ("kept", "excused")]
    excuse.refresh_from_db()
    services.revoke_excuse(excuse, by=None, at=timezone.now())
    records = AttendanceRecord.objects.filter(session=teacher.sessions[0])
    assert set(records.values_list("code__code", "source")) == {("absent", "manual")}


def test_what_cannot_be_marked_is_told_by_line_and_sent_again_when_it_can(teacher):
    first, second, _ = teacher.class_
    ClassSession.objects.filter(pk=teacher.sessions[0].pk).update(marking="closed")
    foreign = ClassSessionFactory()
    closed = queued(teacher, 0, first, "absent")
    name = uuid4()

    results = sync(
        teacher, closed, queued(teacher, 1, first, "absent") | {"session": str(foreign.pk)},
        queued(teacher, 1, EnrollmentFactory(), "absent"), queued(teacher, 1, first, "mood"),
        queued(teacher, 1, first, "absent", ago=-HOUR), queued(teacher, 1, first, "absent", ago=40 * HOUR),
        queued(teacher, 2, first, "absent", client_id=name), queued(teacher, 2, second, "absent", client_id=name),
    )  # fmt: skip

    assert [row["error"] and row["error"]["code"] for row in results] == [
        "session_closed", "does_not_exist", "roster_mismatch", "unknown_code", "made_in_future", "session_not_begun",
        None, "client_id_reused",
    ]  # fmt: skip
    assert [row["outcome"] for row in results] == ["refused"] * 6 + ["applied", "refused"]
    assert OfflineMark.objects.count() == AttendanceRecord.objects.count() == 1
    ClassSession.objects.filter(pk=teacher.sessions[0].pk).update(marking="open")
    assert told(sync(teacher, closed)) == [("applied", "absent")]


@pytest.mark.parametrize(("behind", "outcome"), [(HOUR, "applied"), (23 * HOUR, "applied"), (25 * HOUR, "refused")])
def test_a_clock_that_is_slow_by_up_to_a_day_costs_nobody_their_work(teacher, behind, outcome):
    session = teacher.sessions[0]
    line = {
        **queued(teacher, 0, teacher.class_[0], "absent"), "made_at": (session.starts_at - behind).isoformat(),
    }  # fmt: skip
    ClassSession.objects.filter(pk=session.pk).update(version=7)

    (result,) = sync(teacher, line)

    assert (result["outcome"], result["error"] and result["error"]["code"]) == (
        outcome, None if outcome == "applied" else "session_not_begun",
    )  # fmt: skip


def test_no_clock_marks_a_class_that_is_to_come(teacher):
    session = ClassSessionFactory(section=teacher.section, starts_at=timezone.now() + HOUR)
    line = {**queued(teacher, 0, teacher.class_[0], "absent"), "session": str(session.pk)}

    (result,) = sync(teacher, line)

    assert result["error"]["code"] == "session_not_begun"


def test_a_line_that_is_in_one_queue_twice_counts_once(teacher):
    first, second, _ = teacher.class_
    line, wrong = queued(teacher, 0, first, "absent"), queued(teacher, 0, second, "mood")

    results = sync(teacher, line, wrong, line, wrong, line | {"code": "present"})

    assert [row["outcome"] for row in results] == ["applied", "refused", "applied", "refused", "refused"]
    assert [row["replayed"] for row in results] == [False, False, True, False, False]
    assert [row["error"] and row["error"]["code"] for row in results][1:] == [
        "unknown_code", None, "unknown_code", "client_id_reused",
    ]  # fmt: skip
    assert OfflineMark.objects.count() == 1
    assert [row["replayed"] for row in sync(teacher, line, line)] == [True, True]


def test_of_a_sheet_that_is_open_a_device_reads_those_alone_whom_it_marks(teacher, monkeypatch):
    excused, *others = teacher.class_
    period = DateTimeTZRange(teacher.now - 10 * HOUR, teacher.now, "[)")
    ExcuseRequestFactory(student=excused.student, period=period)
    ExcuseRequest.objects.update(status="approved")
    real, read = sheets.lines_of, []

    def counted(*args, **named):
        lines = real(*args, **named)
        read.append(len(lines))
        return lines

    monkeypatch.setattr(sheets, "lines_of", counted)

    sync(teacher, queued(teacher, 0, others[0], "absent"))
    assert sum(read) == 3 + 1
    assert set(marked(teacher.sessions[0]).values()) == {"absent", "excused"}
    read.clear()
    sync(teacher, queued(teacher, 0, others[1], "absent"))
    assert sum(read) == 1 + 1


def test_a_hundred_sessions_cost_as_many_statements_as_one(teacher):
    def cost(path, body):
        with CaptureQueriesContext(connection) as captured:
            answer = teacher.post(path, body, format="json")
        assert answer.status_code == 200, answer.json()
        return len(captured)

    def costs(count):
        sessions = [
            ClassSessionFactory(section=teacher.section, starts_at=teacher.now - 2 * HOUR) for _ in range(count)
        ]
        students = [str(row.student_id) for row in teacher.class_]
        queue = [
            {**queued(teacher, 0, teacher.class_[0], "absent", ago=HOUR), "session": str(row.pk)} for row in sessions
        ]
        named = {"code": "present", "students": students, "sessions": [str(row.pk) for row in sessions]}
        return cost(BULK, named), cost(SYNC, {"marks": queue})

    assert costs(2) == costs(50)


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_sent_twice_at_once_takes_effect_once(teacher):
    marks = [queued(teacher, 0, row, "absent") for row in teacher.class_]

    results = at_once(lambda: sync(teacher, *marks), lambda: sync(teacher, *marks))

    assert sorted([row["replayed"] for row in each] for each in results) == [[False] * 3, [True] * 3]
    assert OfflineMark.objects.count() == 3
    assert ClassSession.objects.get(pk=teacher.sessions[0].pk).version == 2


def test_each_mark_of_a_sheet_is_looked_for_by_itself(teacher):
    """Wherever the planner may choose, it compares all marks of a day that statistics do not know with everybody."""
    asked = {"sessions": [teacher.sessions[0].pk], "days": [teacher.sessions[0].local_date], "students": None}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sheets._LINES}", asked)
        (((plan,),),) = cursor.fetchall()

    found = list(above("attendance_attendancerecord", plan["Plan"]))
    assert found
    assert all("Limit" in nodes for nodes in found)


def above(table, node, *nodes):
    """Yield the nodes above each scan of a table, or of its months."""
    if node.get("Relation Name", "").startswith(table):
        yield nodes
    for below in node.get("Plans", ()):
        yield from above(table, below, *nodes, node["Node Type"])
