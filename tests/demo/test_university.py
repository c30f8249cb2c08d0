"""The university of `seed_demo` keeps the rules of a real one."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from accounts.models import User
from accounts.roles import Role
from campushub360.demo.university import MAIL, SCALES
from courses.models import Course, Meeting, Section, SectionInstructor
from departments.models import Appointment, Department, Program, Room, Term, TermState
from enrollment.models import LEFT, SEATED, Enrollment
from faculty.models import Faculty, FacultyAppointment
from students.models import ProgramEnrollment, Student
from tests.demo.seeding import TODAY

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("university"),
]


def test_the_small_university_has_its_size() -> None:
    assert Student.objects.count() == 1_000
    assert Enrollment.objects.count() == 10_000
    assert Faculty.objects.count() == SCALES["small"].faculty
    assert Room.objects.count() == SCALES["small"].rooms
    assert Term.objects.count() == 6
    for model in (Department, Program, Course, Section, Meeting, Appointment, FacultyAppointment):
        assert model.objects.exists(), model


def test_no_section_holds_more_students_than_seats() -> None:
    assert not Section.objects.filter(enrolled_count__gt=F("capacity")).exists()


def test_every_section_counts_the_students_it_has() -> None:
    seated = Enrollment.objects.filter(section=OuterRef("pk"), status__in=SEATED).order_by().values("section")
    counted = Section.objects.annotate(there=Subquery(seated.annotate(n=Count("*")).values("n")))

    wrong = counted.exclude(enrolled_count=F("there")).exclude(enrolled_count=0, there=None)

    assert not wrong.exists()


def test_the_term_that_is_on_has_sections_with_seats_and_sections_that_are_nearly_full() -> None:
    left = [section.seats_left for section in Section.objects.filter(term__state=TermState.IN_PROGRESS)]

    assert max(left) > 0
    assert min(left) < 10


OVERLAPPING_MEETINGS = """
SELECT first.id FROM {holds} AS one
JOIN courses_meetingsection first_of ON first_of.section_id = one.section_id
JOIN courses_meeting first ON first.id = first_of.meeting_id
JOIN {holds} AS other ON other.{holder} = one.{holder} {condition}
JOIN courses_meetingsection second_of ON second_of.section_id = other.section_id
JOIN courses_meeting second ON second.id = second_of.meeting_id
WHERE first.id < second.id AND first.weekday = second.weekday AND first.dates && second.dates
AND first.starts_at < second.ends_at AND second.starts_at < first.ends_at
"""


def test_no_student_sits_in_two_sections_at_one_time() -> None:
    query = OVERLAPPING_MEETINGS.format(
        holds="enrollment_enrollment", holder="student_id", condition="AND other.term_id = one.term_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == []


def test_no_teacher_is_in_two_sections_at_one_time() -> None:
    query = OVERLAPPING_MEETINGS.format(holds="courses_sectioninstructor", holder="faculty_id", condition="")
    with connection.cursor() as cursor:
        cursor.execute(query)
        assert cursor.fetchall() == []


def test_no_room_has_two_meetings_at_one_time() -> None:
    other = Meeting.objects.filter(
        room=OuterRef("room"),
        weekday=OuterRef("weekday"),
        dates__overlap=OuterRef("dates"),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    ).exclude(pk=OuterRef("pk"))

    assert not Meeting.objects.filter(Exists(other), room__isnull=False).exists()


def test_a_second_meeting_in_an_occupied_room_is_refused_by_the_database() -> None:
    meeting = Meeting.objects.order_by("id")[0]
    meeting.pk = None
    meeting.id = Meeting().pk

    with pytest.raises(IntegrityError, match="courses_meeting_room_free"), transaction.atomic():
        meeting.save(force_insert=True)


def test_rooms_seat_their_sections() -> None:
    crowded = Section.objects.filter(meetings__room__capacity__lt=F("capacity"))

    assert not crowded.exists()


def test_every_section_is_taught_and_meets() -> None:
    assert not Section.objects.filter(section_instructors=None).exists()
    assert not Section.objects.filter(meetings=None).exists()
    assert set(SectionInstructor.objects.values_list("share", flat=True)) == {100}


def test_no_student_takes_a_course_twice() -> None:
    twice = Enrollment.objects.values("student", "course").annotate(n=Count("*")).filter(n__gt=1)

    assert not twice.exists()


def test_enrolments_end_as_their_term_lets_them() -> None:
    by_state: dict[str, Counter[str]] = {}
    for state, status in Enrollment.objects.values_list("term__state", "status"):
        by_state.setdefault(state, Counter())[status] += 1

    assert set(by_state[TermState.CLOSED]) == {"completed", "withdrawn"}
    assert set(by_state[TermState.IN_PROGRESS]) == {"enrolled", "dropped"}
    assert set(by_state[TermState.REGISTRATION]) == {"enrolled"}
    assert not Enrollment.objects.filter(term__state=TermState.CLOSED, result="").exists()
    assert not Enrollment.objects.exclude(term__state=TermState.CLOSED).exclude(result="").exists()
    assert not Enrollment.objects.filter(Q(status__in=LEFT) ^ Q(dropped_at__isnull=False)).exists()


def test_nothing_has_happened_tomorrow() -> None:
    tomorrow = datetime.combine(TODAY + timedelta(days=1), time(), UTC)

    assert not Enrollment.objects.filter(Q(enrolled_at__gte=tomorrow) | Q(dropped_at__gte=tomorrow)).exists()
    assert not Student.objects.filter(admitted_on__gt=TODAY).exists()


def test_every_student_has_one_primary_program_in_their_department_and_an_advisor_there() -> None:
    primary = ProgramEnrollment.objects.filter(is_primary=True)

    assert primary.filter(program__department=F("student__department")).count() == 1_000
    assert Student.objects.filter(advisor__faculty__department=F("department")).count() == 1_000


def test_every_member_of_faculty_holds_the_post_that_the_directory_shows() -> None:
    shown = FacultyAppointment.objects.lasting().filter(
        rank=F("faculty__rank"), department=F("faculty__department"), valid__contains=TODAY
    )

    assert shown.values("faculty").distinct().count() == Faculty.objects.count()


@pytest.mark.parametrize("role", Role.values)
def test_the_account_of_every_role_logs_in(client, role: str) -> None:
    credentials = {"email": f"{role}@{MAIL}", "password": settings.DEMO_PASSWORD}

    answer = client.post("/api/v1/auth/token/", credentials, content_type="application/json")

    assert answer.status_code == 200, answer.content
    token = answer.json()["data"]["access"]
    me = client.get("/api/v1/auth/me/", headers={"Authorization": f"Bearer {token}"}).json()["data"]
    assert [held["role"] for held in me["roles"]] == [role]


SEEN = {
    Role.SYSTEM_ADMIN: {"students": 1_000, "sections": "some"},
    Role.REGISTRAR: {"students": 1_000, "enrollments": "some"},
    Role.DEPARTMENT_HEAD: {"students": "some", "faculty": "some"},
    Role.PROGRAM_COORDINATOR: {"students": "some"},
    Role.FACULTY: {"students": "some", "enrollments": "some"},
    Role.TEACHING_ASSISTANT: {"enrollments": "some"},
    Role.ADVISOR: {"students": "some"},
    Role.STUDENT: {"students": 1, "enrollments": "some"},
}


@pytest.mark.parametrize(
    ("role", "resource", "expected"),
    [(role, name, count) for role, seen in SEEN.items() for name, count in seen.items()],
)
def test_an_account_finds_what_its_role_works_with(client_for, role: str, resource: str, expected: int | str) -> None:
    user = User.objects.get(email=f"{role}@{MAIL}")

    answer = client_for(user).get(f"/api/v1/{resource}/", {"page": 1, "page_size": 1}).json()

    total = answer["meta"]["pagination"]["total"]
    assert total == expected if isinstance(expected, int) else total > 0


def test_only_those_who_administer_see_everybody(client_for) -> None:
    user = User.objects.get(email=f"{Role.DEPARTMENT_HEAD}@{MAIL}")

    answer = client_for(user).get("/api/v1/students/", {"page": 1}).json()

    assert 0 < answer["meta"]["pagination"]["total"] < 1_000
