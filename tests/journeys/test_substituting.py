"""A teacher who is away finds a colleague: one is busy, the other accepts, marks the class, and the student sees it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from attendance import services
from tests.attendance.factories import ClassSessionFactory, usual_codes
from tests.courses.factories import CourseFactory, SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
SUBSTITUTIONS = "/api/v1/attendance/substitutions/"
SESSIONS = "/api/v1/attendance/sessions/"
MINUTES = timedelta(minutes=1)


def planned(course, *, starts_at):
    """Return a class that is held once, with who teaches it wanted there."""
    taught = SectionInstructorFactory(section__course=CourseFactory(code=course), section__code="01")
    now = timezone.now()
    session = ClassSessionFactory(section=taught.section, starts_at=starts_at)
    services.reschedule_session(session, starts_at=session.starts_at, ends_at=session.ends_at, by=None, at=now)
    return taught.faculty, session


def test_a_class_is_taught_by_somebody_else(user_with, client_for):
    usual_codes()
    soon = timezone.now() + 10 * MINUTES
    ada, calculus = planned("CALC", starts_at=soon)
    bob, _ = planned("CHEM", starts_at=soon + 30 * MINUTES)
    eve = FacultyFactory()
    teacher, busy, free = (client_for(user_with(Role.FACULTY, "self", person=one.person)) for one in (ada, bob, eve))
    enrollment = EnrollmentFactory(section=calculus.section)
    student = client_for(user_with(Role.STUDENT, "self", person=enrollment.student.person))

    def asks(colleague):
        body = {"session": str(calculus.pk), "substitute": str(colleague.pk), "reason": "The train stands still"}
        answer = teacher.post(SUBSTITUTIONS, body, format="json")
        assert answer.status_code == 201, answer.json()
        return f"{SUBSTITUTIONS}{answer.json()['data']['id']}/"

    # Bob would like to, and has a class of his own.
    url = asks(bob)
    refused = busy.post(f"{url}accept/", {}, format="json").json()
    assert refused["code"] == "person_conflict"
    assert refused["errors"][0]["meta"]["what"] == "CALC-01"
    assert [other["what"] for other in refused["errors"][0]["meta"]["reservations"]] == ["CHEM-01"]
    assert busy.post(f"{url}decline/", {"reason": "I teach then"}, format="json").status_code == 200
    assert teacher.get(f"{url}history/").json()["data"][0]["reason"] == "I teach then"

    # Eve finds that she was asked, and accepts.
    url = asks(eve)
    (mine,) = free.get(SUBSTITUTIONS, {"status": "proposed", "substitute": str(eve.pk)}).json()["data"]
    assert f"{SUBSTITUTIONS}{mine['id']}/" == url
    assert free.post(f"{url}accept/", {"reason": "Get home safely"}, format="json").status_code == 200

    # She marks the class, and the student sees who teaches it and that they were there.
    roster = f"{SESSIONS}{calculus.pk}/roster/"
    etag = free.get(roster)["ETag"]
    marks = {"marks": [{"enrollment": str(enrollment.pk), "code": "present"}]}
    assert free.put(roster, marks, format="json", headers={"If-Match": etag}).status_code == 200
    assert free.post(f"{SESSIONS}{calculus.pk}/close/", {}, format="json").status_code == 200
    shown = student.get(f"{SESSIONS}{calculus.pk}/").json()["data"]
    assert (shown["substitute"]["id"], shown["marking"]) == (str(eve.pk), "closed")
    units = student.get(f"/api/v1/enrollments/{enrollment.pk}/attendance/").json()["data"]["units"]
    assert [(unit["session"], unit["code"]) for unit in units] == [(str(calculus.pk), "present")]
    entries = teacher.get(roster).json()["data"]["entries"]
    assert [entry["code"] for entry in entries] == ["present"]
    assert student.get(SUBSTITUTIONS).status_code == 403
