"""Whoever teaches sees whom they teach until some time after the term, by the days where the institution is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from core.visibility import visible
from enrollment.models import Enrollment
from students.models import Student
from tests.courses.factories import SectionInstructorFactory
from tests.departments.factories import TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(86)]

LAST_DAY = date(2026, 6, 30)
# 120 days later it is the 28th of October, which ends in Auckland at 11 o'clock in Greenwich.
LAST_MOMENT = datetime(2026, 10, 28, 10, 59, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_auckland(settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    settings.INSTRUCTOR_ACCESS_GRACE = timedelta(days=120)


@pytest.fixture
def taught():
    """An enrolment in a section that somebody teaches."""
    row = SectionInstructorFactory(section__term=TermFactory(starts_on=date(2026, 2, 1), ends_on=LAST_DAY))
    enrollment = EnrollmentFactory(section=row.section)
    enrollment.teacher = row.faculty.person
    return enrollment


def teacher(user_with, taught):
    return user_with(Role.FACULTY, "self", person=taught.teacher)


def assistant(user_with, taught):
    return user_with(Role.TEACHING_ASSISTANT, "section", taught.section_id)


@pytest.mark.parametrize("who", [teacher, assistant])
def test_access_ends_with_the_last_day_of_the_grace(user_with, taught, monkeypatch, who):
    user = who(user_with, taught)

    for moment, sees in ((LAST_MOMENT, True), (LAST_MOMENT + timedelta(seconds=1), False)):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)

        assert visible(Enrollment.objects.all(), user).exists() == sees
        assert visible(Student.objects.all(), user).exists() == (sees and who is teacher)


def test_whom_others_teach_later_in_the_course_nobody_sees_who_taught_it(user_with, taught, client_for):
    EnrollmentFactory(section__course=taught.section.course)
    user = teacher(user_with, taught)

    assert client_for(user).get(f"/api/v1/sections/{taught.section_id}/roster/").json()["data"] == []
    assert client_for(user).get(f"/api/v1/students/{taught.student_id}/enrollments/").status_code == 404


def test_a_list_shows_exactly_the_enrolments_of_terms_that_are_no_longer_over_than_that(user_with, taught, client_for):
    today = timezone.localdate()
    user = teacher(user_with, taught)
    faculty = taught.teacher.faculty
    ends = [today + timedelta(days=days) for days in (-1000, -121, -120, -119, 0, 200)]
    rows = [
        EnrollmentFactory(
            section=SectionInstructorFactory(
                faculty=faculty, section__term=TermFactory(starts_on=end - timedelta(days=90), ends_on=end)
            ).section
        )
        for end in ends
    ]

    enrolments, students = (
        client_for(user).get(f"/api/v1/{name}/").json()["data"] for name in ("enrollments", "students")
    )

    wanted = [row for row in [*rows, taught] if row.term.ends_on + timedelta(days=120) >= today]
    assert len(wanted) >= 4
    assert {row["id"] for row in enrolments} == {str(row.pk) for row in wanted}
    assert {row["id"] for row in students} == {str(row.student_id) for row in wanted}
