"""Marks, one by one: narrowed, in pages, and to those alone to whom the attendance is open."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from audit.models import Disclosure
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/records/"
DAY = timedelta(days=1)


@pytest.fixture
def teacher(user_with, client_for):
    """A teacher whose two students were marked on two days, and who has nothing to do with a third student."""
    taught = SectionInstructorFactory()
    client = client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))
    codes, client.now = usual_codes(), timezone.now()
    client.sessions = [
        ClassSessionFactory(section=taught.section, starts_at=client.now - days * DAY) for days in (2, 1)
    ]
    client.class_ = [EnrollmentFactory(section=taught.section) for _ in range(2)]
    client.records = [
        AttendanceRecordFactory(session=session, enrollment=enrollment, code=code, source=source)
        for session, code, source in zip(client.sessions, (codes.absent, codes.present), ("manual", "qr"), strict=True)
        for enrollment in client.class_
    ]
    AttendanceRecordFactory()
    return client


def ids(answer):
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["data"]]


def test_a_teacher_reads_and_narrows_what_was_marked_in_their_sections(teacher, django_assert_max_num_queries):
    first, second, third, fourth = (str(row.pk) for row in teacher.records)
    ada, session = teacher.class_[0], teacher.sessions[1]

    with django_assert_max_num_queries(5):
        assert ids(teacher.get(LIST)) == [fourth, third, second, first]

    found = {
        query: ids(teacher.get(f"{LIST}?{query}"))
        for query in (
            f"student={ada.student_id}", f"session={session.pk}", f"on={session.local_date}", "code=absent",
            "source=qr,reader", f"date_to={teacher.sessions[0].local_date}",
            f"section={session.section_id}&page_size=3",
        )
    }  # fmt: skip
    assert list(found.values()) == [
        [third, first], [fourth, third], [fourth, third], [second, first], [fourth, third], [second, first],
        [fourth, third, second],
    ]  # fmt: skip
    assert Disclosure.objects.filter(what="attendance", actor_id__isnull=False).exists()


def test_a_student_reads_their_own_marks_and_a_mark_says_what_it_is_about(teacher, user_with, client_for):
    ada = teacher.class_[0]
    client = client_for(user_with(Role.STUDENT, "self", person=ada.student.person))

    own = client.get(LIST).json()["data"]

    assert {row["enrollment"] for row in own} == {str(ada.pk)}
    assert (own[0]["code"], own[0]["source"], own[0]["session"]["id"]) == ("present", "qr", str(teacher.sessions[1].pk))
    assert client.get(f"{LIST}{teacher.records[1].pk}/").status_code == 404
    assert client.get(f"{LIST}{teacher.records[0].pk}/").json()["data"]["code"] == "absent"
