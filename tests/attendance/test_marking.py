"""Marking over HTTP: the whole class in one request, everything that is wrong at once, and then nothing is marked."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Person
from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import AttendanceCode, AttendanceRecord, ClassSession
from audit.models import Change, Disclosure
from core.db.constraints import error_for
from core.models import OutboxEvent
from enrollment.models import Enrollment
from students.models import Student
from tests.attendance.factories import AttendanceCodeFactory, AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@pytest.fixture
def classroom(user_with, client_for):
    """A session that has begun, three students of the section, and the client of their teacher."""
    taught = SectionInstructorFactory()
    teacher = client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))
    teacher.codes = usual_codes()
    teacher.lesson = ClassSessionFactory(section=taught.section)
    teacher.class_ = [EnrollmentFactory(section=taught.section) for _ in range(3)]
    return teacher


def url(session, what="roster"):
    return f"/api/v1/attendance/sessions/{session.pk}/{what}/"


def tag(client, session=None):
    return client.get(url(session or client.lesson)).headers["ETag"]


def put(client, *marks, session=None, if_match=None, **body):
    session = session or client.lesson
    headers = {"If-Match": if_match or tag(client, session)}
    return client.put(url(session), {"marks": list(marks), **body}, format="json", headers=headers)


def mark(enrollment, code, **more):
    return {"enrollment": str(enrollment.pk), "code": code, **more}


def marked(session):
    records = AttendanceRecord.objects.filter(session=session)
    return dict(records.values_list("enrollment", "code__code"))


def codes_of(answer):
    return [(error["code"], error["field"]) for error in answer.json()["errors"]]


def test_a_class_is_shown_by_name_with_nobody_marked_at_first(classroom):
    data = classroom.get(url(classroom.lesson)).json()["data"]

    assert (data["session"], data["marking"]) == (str(classroom.lesson.pk), "scheduled")
    assert (data["counts"], data["unmarked"]) == ({}, 3)
    names = [entry["student"]["name"] for entry in data["entries"]]
    assert len(names) == 3
    assert data["entries"][0] | {"enrollment": "", "student": ""} == {
        "enrollment": "", "student": "", "code": None, "minutes_late": None, "marked_from": None, "marked_at": None,
        "marked_by": None,
    }  # fmt: skip
    assert Disclosure.objects.filter(what="attendance").count() == 3


def test_a_default_marks_nobody_whom_the_teacher_has_not_read(classroom):
    read = tag(classroom)
    late = EnrollmentFactory(section=classroom.lesson.section)
    everybody = [mark(each, "present") for each in (*classroom.class_, late)]

    for body in ({"default": "present"}, {"default": "present", "client_id": str(uuid4())}):
        refused = put(classroom, mark(classroom.class_[0], "absent"), if_match=read, **body)
        assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert marked(classroom.lesson) == {}

    # Who is named has been thought of, whatever the roster was when it was read.
    assert put(classroom, *everybody[:2], if_match=read).status_code == 200
    answer = put(classroom, default="absent")
    assert (answer.status_code, marked(classroom.lesson)[late.pk]) == (200, "absent")


def test_a_default_is_refused_to_who_has_left_a_roster_since_and_who_has_read_none(classroom):
    read = tag(classroom)
    Enrollment.objects.filter(pk=classroom.class_[0].pk).update(status="pending")

    version = ClassSession.objects.get(pk=classroom.lesson.pk).version
    for stated in (read, f'"{version}-read"', f'"{version}"', f"{read}, {tag(classroom)}"):
        assert put(classroom, default="present", if_match=stated).status_code == 412, stated
    assert put(classroom, default="present", if_match=f"W/{tag(classroom)}").status_code == 200


def test_steps_carry_on_in_their_tags_who_was_read(classroom):
    def step(what, read):
        headers = {"If-Match": read} if read else {}
        return classroom.post(url(classroom.lesson, what), {}, format="json", headers=headers).headers["ETag"]

    opened = step("open", tag(classroom))
    marked_once = put(classroom, mark(classroom.class_[0], "late"), if_match=opened)
    assert put(classroom, default="present", if_match=marked_once.headers["ETag"]).status_code == 200

    assert put(classroom, default="present", if_match=step("open", "")).status_code == 412
    carried = step("open", tag(classroom))
    EnrollmentFactory(section=classroom.lesson.section)
    assert put(classroom, default="present", if_match=carried).status_code == 412


def test_a_whole_class_is_marked_by_naming_those_who_are_not_there(classroom):
    first, second, third = classroom.class_
    client_id = uuid4()

    answer = put(
        classroom, mark(first, "absent"), mark(second, "late", minutes_late=7), default="present",
        client_id=str(client_id),
    )  # fmt: skip

    assert answer.status_code == 200, answer.json()
    data = answer.json()["data"]
    assert (data["marking"], data["unmarked"], data["kept"]) == ("open", 0, [])
    assert data["counts"] == {"absent": 1, "late": 1, "present": 1}
    assert marked(classroom.lesson) == {first.pk: "absent", second.pk: "late", third.pk: "present"}
    record = AttendanceRecord.objects.get(enrollment=second)
    assert (record.minutes_late, record.source, record.client_id) == (7, "manual", client_id)
    assert record.marked_by_id is not None
    entries = classroom.get(url(classroom.lesson)).json()["data"]["entries"]
    assert Counter(entry["code"] for entry in entries) == {"absent": 1, "late": 1, "present": 1}


def test_without_a_default_those_who_are_not_named_stay_as_they_are(classroom):
    first, second, _ = classroom.class_
    put(classroom, mark(first, "absent"))

    answer = put(classroom, mark(second, "present"))

    assert marked(classroom.lesson) == {first.pk: "absent", second.pk: "present"}
    assert answer.json()["data"]["unmarked"] == 1


def test_everything_that_is_wrong_is_told_at_once_and_nobody_is_marked(classroom):
    first, second, _ = classroom.class_
    AttendanceCodeFactory(code="asleep", is_active=False)
    stranger, gone = EnrollmentFactory(), EnrollmentFactory(
        section=classroom.lesson.section, status="dropped", dropped_at=classroom.lesson.starts_at
    )  # fmt: skip

    answer = put(
        classroom, mark(first, "present"), mark(first, "absent"), mark(stranger, "present"), mark(gone, "present"),
        mark(second, "mood"), default="asleep",
    )  # fmt: skip

    assert answer.status_code == 400
    assert codes_of(answer) == [
        ("duplicate_line", "marks.1.enrollment"), ("roster_mismatch", "marks.2.enrollment"),
        ("roster_mismatch", "marks.3.enrollment"), ("unknown_code", "marks.4.code"), ("inactive_code", "default"),
    ]  # fmt: skip
    assert not AttendanceRecord.objects.exists()
    classroom.lesson.refresh_from_db()
    assert (classroom.lesson.version, classroom.lesson.marking) == (1, "scheduled")


def test_a_sheet_on_which_nobody_is_marked_is_not_opened_by_it(classroom):
    answer = put(classroom)

    assert (answer.status_code, answer.json()["data"]["marking"]) == (200, "scheduled")


def test_no_more_lines_are_read_than_a_request_may_bring(classroom):
    enrollment, *_ = classroom.class_

    answer = put(classroom, *[mark(enrollment, "present")] * 1001)

    assert (answer.status_code, codes_of(answer)) == (400, [("max_length", "marks")])


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"marking": "closed"}, "session_closed"),
        ({"marking": "locked"}, "session_locked"),
        ({"status": "cancelled"}, "session_cancelled"),
        ({"starts_at": timedelta(hours=1), "ends_at": timedelta(hours=2)}, "session_not_begun"),
    ],
)
def test_a_session_whose_time_is_not_now_is_not_marked(classroom, state, code):
    now = timezone.now()
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in state.items()}
    ClassSession.objects.filter(pk=classroom.lesson.pk).update(**values)

    answer = put(classroom, mark(EnrollmentFactory(), "present"), default="present")

    assert answer.status_code == 409
    assert [found for found, _ in codes_of(answer)] == [code, "roster_mismatch"]
    assert not AttendanceRecord.objects.exists()


def test_who_does_not_say_what_they_have_read_marks_nobody(classroom):
    body = {"marks": [], "default": "present"}

    without = classroom.put(url(classroom.lesson), body, format="json")
    any_at_all = classroom.put(url(classroom.lesson), body, format="json", headers={"If-Match": "*"})

    assert [answer.status_code for answer in (without, any_at_all)] == [428, 428]
    assert without.json()["code"] == "precondition_required"


def test_of_two_teachers_who_have_read_the_same_the_second_reads_again(classroom):
    read = tag(classroom)
    answer = put(classroom, default="present", if_match=read)

    late = put(classroom, default="absent", if_match=read)

    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert set(marked(classroom.lesson).values()) == {"present"}
    again = put(classroom, mark(classroom.class_[0], "late"), if_match=answer.headers["ETag"])
    assert again.status_code == 200
    assert len(marked(classroom.lesson)) == 3


def test_what_is_excused_outranks_a_teacher_and_what_a_reader_saw_does_not(classroom):
    first, second, third = classroom.class_
    for enrollment, code, source in ((first, "excused", "excuse"), (second, "late", "reader")):
        AttendanceRecordFactory(
            session=classroom.lesson, enrollment=enrollment, code=getattr(classroom.codes, code), source=source
        )

    answer = put(classroom, default="absent")

    # Whom a reader saw come is not among those of whom nothing is known.
    data = answer.json()["data"]
    assert (data["kept"], data["replaced"]) == ([str(first.pk)], [])
    assert marked(classroom.lesson) == {first.pk: "excused", second.pk: "late", third.pk: "absent"}
    assert put(classroom, mark(second, "late"), mark(third, "present")).json()["data"]["replaced"] == []
    AttendanceRecord.objects.filter(enrollment=second).update(source="reader")
    assert put(classroom, mark(second, "present")).json()["data"]["replaced"] == [str(second.pk)]
    assert marked(classroom.lesson)[second.pk] == "present"
    assert AttendanceRecord.objects.get(enrollment=second).source == "manual"


def test_who_confirms_a_mark_makes_it_theirs(classroom, user_with):
    first, second, third = classroom.class_
    for row, source in ((first, "import"), (second, "reader"), (third, "manual")):
        AttendanceRecordFactory(session=classroom.lesson, enrollment=row, code=classroom.codes.present, source=source)
    before = AttendanceRecord.objects.get(enrollment=third).marked_at

    put(classroom, *(mark(row, "present") for row in classroom.class_))

    assert set(AttendanceRecord.objects.values_list("source", flat=True)) == {"manual"}
    assert AttendanceRecord.objects.get(enrollment=third).marked_at > before
    weaker = services.Mark(enrollment=first.pk, code="absent")
    lesson = ClassSession.objects.get(pk=classroom.lesson.pk)
    told = services.mark_roster(lesson, marks=[weaker], by=None, at=timezone.now(), source="import")
    assert (told.kept, marked(lesson)[first.pk]) == ([first.pk], "present")


def test_whoever_left_before_or_came_after_the_class_is_not_expected_and_who_left_later_is(classroom):
    session = classroom.lesson
    for values in (
        {"status": "withdrawn", "dropped_at": session.starts_at - timedelta(minutes=1)},
        {"enrolled_at": session.ends_at},
        {"status": "pending"},
    ):
        EnrollmentFactory(section=session.section, **values)
    later = EnrollmentFactory(
        section=session.section, status="withdrawn", dropped_at=session.starts_at + timedelta(minutes=1)
    )

    entries = classroom.get(url(session)).json()["data"]["entries"]

    assert {entry["enrollment"] for entry in entries} == {str(row.pk) for row in (*classroom.class_, later)}


def crowd(section, size):
    """Enrol a crowd in a section."""
    students = [
        Student(person=person, student_no=f"C{number}", department=section.course.department)
        for number, person in enumerate(Person.objects.bulk_create(Person(last_name="C") for _ in range(size)))
    ]
    Student.objects.bulk_create(students)
    Enrollment.objects.bulk_create(
        Enrollment(student=student, section=section, course=section.course, term=section.term, credits=3)
        for student in students
    )
    # What the server finds out by itself about tables that have grown. It takes those it once saw empty for empty.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_person, students_student, enrollment_enrollment")


def statements(client, method, *arguments, **options):
    """Return the statements of a request, but for those that begin and end what would be a transaction."""
    with CaptureQueriesContext(connection) as captured:
        answer = getattr(client, method)(*arguments, **options)
    assert answer.status_code == 200, answer.json()
    return [each["sql"] for each in captured if not each["sql"].startswith(CONTROL)]


def test_three_hundred_cost_as_many_statements_as_three(classroom):
    body = {"marks": [mark(classroom.class_[0], "absent")], "default": "present"}

    def marking():
        headers = {"If-Match": tag(classroom)}
        return statements(classroom, "put", url(classroom.lesson), body, format="json", headers=headers)

    few = marking()
    classroom.lesson.section.capacity = 400
    classroom.lesson.section.save()
    crowd(classroom.lesson.section, 297)
    many = marking()

    assert len(few) == len(many) <= 6, many
    assert sum("INSERT INTO attendance_attendancerecord " in statement for statement in many) == 1
    assert len(marked(classroom.lesson)) == 300
    assert len(statements(classroom, "get", url(classroom.lesson))) <= 4


def test_a_sheet_is_opened_closed_opened_again_and_what_came_of_it_announced(classroom):
    session = classroom.lesson
    assert codes_of(classroom.post(url(session, "close"))) == [("session_not_open", "marking")]
    assert classroom.post(url(session, "open")).json()["data"]["marking"] == "open"
    put(classroom, mark(classroom.class_[0], "present"))

    assert classroom.post(url(session, "close")).json()["data"]["marking"] == "closed"
    assert classroom.post(url(session, "close")).status_code == 200
    again = classroom.post(url(session, "open"), {"reason": "Came in late"}, format="json")
    assert again.json()["data"]["marking"] == "open"

    closed = OutboxEvent.objects.get(name="attendance.session.closed")
    assert (closed.payload["marked"], closed.payload["unmarked"]) == (1, 2)
    assert put(classroom, mark(classroom.class_[0], "late")).status_code == 200


def test_a_locked_sheet_is_not_opened_again(classroom):
    ClassSession.objects.update(marking="locked")

    for step in ("open", "close"):
        assert codes_of(classroom.post(url(classroom.lesson, step))) == [("session_locked", "marking")]


def test_a_session_that_was_marked_is_not_moved(classroom, registrar_client):
    put(classroom, default="present")
    to = {"starts_at": "2026-10-13T07:00:00Z", "ends_at": "2026-10-13T08:00:00Z"}

    answer = registrar_client.post(url(classroom.lesson, "reschedule"), to, format="json")

    assert codes_of(answer) == [("session_marked", "marking")]


def test_those_who_teach_and_those_in_charge_mark_and_nobody_else(classroom, registrar_client, user_with, client_for):
    section = classroom.lesson.section
    other = SectionInstructorFactory()
    head = user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, section.course.department_id)
    foreign_head = user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, other.section.course.department_id)
    colleague = user_with(Role.FACULTY, ScopeKind.DEPARTMENT, section.course.department_id)
    student = user_with(Role.STUDENT, "self", person=classroom.class_[0].student.person)
    elsewhere = user_with(Role.FACULTY, "self", person=other.faculty.person)
    read = tag(classroom)

    asked = {
        name: put(client, session=classroom.lesson, if_match=read).status_code
        for name, client in {
            "registrar": registrar_client, "head": client_for(head), "foreign head": client_for(foreign_head),
            "elsewhere": client_for(elsewhere), "colleague": client_for(colleague), "student": client_for(student),
        }.items()
    }  # fmt: skip

    assert asked == {
        # Nothing is marked, and so nothing changes.
        "registrar": 200, "head": 200, "foreign head": 404, "elsewhere": 404, "colleague": 403, "student": 403,
    }  # fmt: skip


def test_marks_lie_in_the_month_of_their_session_and_leave_a_history(classroom):
    put(classroom, default="present")
    put(classroom, mark(classroom.class_[0], "absent"))

    record = AttendanceRecord.objects.get(enrollment=classroom.class_[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM attendance_attendancerecord")
        assert cursor.fetchall() == [(f"attendance_attendancerecord_{record.local_date:%Y%m}",)]
    history = Change.objects.filter(row_id=str(record.pk)).order_by("id")
    assert [entry.operation for entry in history] == ["insert", "update"]
    before, after = (AttendanceCode.objects.get(pk=key).code for key in history[1].changes["code_id"])
    assert (before, after) == ("present", "absent")


def test_a_code_that_was_used_goes_out_of_use_and_counts_what_it_counted(registrar_client):
    record = AttendanceRecordFactory(code=AttendanceCodeFactory(code="field_trip"))
    page = f"/api/v1/attendance/codes/{record.code_id}/"

    refused = [
        registrar_client.delete(page),
        registrar_client.patch(page, {"weight": "0.500"}, format="json"),
    ]
    archived = registrar_client.patch(page, {"is_active": False, "label": "Excursion"}, format="json")

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "in_use")] * 2
    assert archived.json()["data"]["is_active"] is False
    unused = AttendanceCodeFactory(code="unused")
    assert registrar_client.delete(f"/api/v1/attendance/codes/{unused.pk}/").status_code == 204


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("late", {"code": "tardy"}),
        ("absent", {"code": "missing"}),
        ("present", {"is_active": False}),
        ("on_duty", {"is_active": False}),
        ("late", {"takes_minutes": False}),
        ("excused", None),
    ],
)
def test_what_machines_and_rules_go_by_stays_what_it_is(registrar_client, code, change):
    AttendanceCode.objects.filter(pk=usual_codes().late.pk).update(takes_minutes=True)
    row = AttendanceCode.objects.get(code=code)
    page = f"/api/v1/attendance/codes/{row.pk}/"

    answer = registrar_client.patch(page, change, format="json") if change else registrar_client.delete(page)
    rows = AttendanceCode.objects.filter(pk=row.pk)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        rows.update(**change) if change else rows._raw_delete(rows.db)

    assert codes_of(answer) == [("code_built_in", next(iter(change or {}), ""))]
    assert answer.status_code == 409
    assert error_for(refused.value).error_code == "code_built_in"
    assert AttendanceCode.objects.get(pk=row.pk).version == row.version


def test_what_nobody_is_marked_with_unasked_goes_out_of_use_and_any_label_changes(registrar_client):
    codes = usual_codes()

    answers = [
        registrar_client.patch(f"/api/v1/attendance/codes/{row.pk}/", change, format="json")
        for row, change in ((codes.absent, {"is_active": False}), (codes.present, {"label": "There"}))
    ]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_mark_at_the_same_moment_one_is_told_to_read_again(classroom):
    read = tag(classroom)

    def marking(code):
        return lambda: put(classroom, default=code, if_match=read).status_code

    assert sorted(at_once(marking("present"), marking("absent"))) == [200, 412]
    assert len(marked(classroom.lesson)) == 3
    assert len(set(marked(classroom.lesson).values())) == 1


def test_a_sheet_takes_no_parameters(classroom):
    assert codes_of(classroom.get(f"{url(classroom.lesson)}?fields=id")) == [("unknown_parameter", "fields")]


@pytest.mark.checklist(13)
def test_who_takes_a_section_marks_nobody_in_it_and_goes_on_to_mark_what_else_they_teach(
    classroom, user_with, client_for
):
    faculty = SectionInstructorFactory(section=classroom.lesson.section, role="co", share=0).faculty
    EnrollmentFactory(section=classroom.lesson.section, student__person=faculty.person)
    other = ClassSessionFactory(section=SectionInstructorFactory(faculty=faculty).section)
    client = client_for(user_with(Role.FACULTY, "self", person=faculty.person))
    student = classroom.class_[0]
    bulk = {"code": "present", "students": [str(student.student_id)], "sessions": [str(classroom.lesson.pk)]}
    made = {"session": str(classroom.lesson.pk), "enrollment": str(student.pk), "code": "present", "version": 1}
    queue = {"marks": [{**made, "client_id": str(uuid4()), "made_at": timezone.now().isoformat()}]}

    alone = put(client, mark(student, "present"), session=classroom.lesson)
    many = client.post("/api/v1/attendance/sessions/bulk-mark/", bulk, format="json")
    offline = client.post("/api/v1/attendance/sessions/sync/", queue, format="json")

    assert [(answer.status_code, answer.json()["code"]) for answer in (alone, many)] == [(403, "self_marking")] * 2
    (line,) = offline.json()["data"]["results"]
    assert (line["outcome"], line["error"]["code"]) == ("refused", "self_marking")
    assert not AttendanceRecord.objects.exists()
    assert put(client, default="present", session=other).status_code == 200


def test_assistants_who_teach_a_section_mark_it_and_whoever_only_holds_the_role_does_not(
    classroom, user_with, client_for
):
    section = classroom.lesson.section
    assistant = SectionInstructorFactory(section=section, role="ta", share=0)
    helper = user_with(Role.TEACHING_ASSISTANT, ScopeKind.SECTION, section.pk)

    helps = client_for(user_with(Role.FACULTY, "self", person=assistant.faculty.person))

    assert put(helps, mark(classroom.class_[0], "present"), session=classroom.lesson).status_code == 200
    assert client_for(helper).get(url(classroom.lesson)).status_code == 403
