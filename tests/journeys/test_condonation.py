"""A term of classes is marked, somebody falls short in it although she was excused, and is admitted all the same."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance.models import ClassSession
from core.models import OutboxEvent
from tests.attendance.factories import usual_codes
from tests.attendance.test_export import table
from tests.courses.factories import MeetingFactory, MeetingSectionFactory, SectionFactory, SectionInstructorFactory
from tests.departments.factories import CampusFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.journeys.test_opening_a_term import Caller

pytestmark = pytest.mark.django_db
WEEKS = 10


@pytest.fixture
def section():
    """A section that met once a week, the last time yesterday, and was taken by three students."""
    usual_codes()
    yesterday = timezone.now().date() - timedelta(days=1)
    first = yesterday - timedelta(weeks=WEEKS - 1)
    term = TermFactory(
        code="NOW", state="in_progress", starts_on=first - timedelta(days=3), ends_on=yesterday + timedelta(weeks=4)
    )
    section = SectionFactory(term=term, campus=CampusFactory(time_zone="UTC"))
    dates = DateRange(first, yesterday + timedelta(days=1), "[)")
    MeetingSectionFactory(meeting=MeetingFactory(dates=dates, weekday=yesterday.isoweekday()), section=section)
    return section


def test_from_classes_to_admission(section, registrar_client, user_with, client_for):
    registrar = Caller(registrar_client)
    teacher_user = user_with(Role.FACULTY, "self", person=SectionInstructorFactory(section=section).faculty.person)
    ada, bob, cy = (EnrollmentFactory(section=section, enrolled_at=None) for _ in range(3))
    student_user = user_with(Role.STUDENT, "self", person=ada.student.person)
    student, teacher = Caller(client_for(student_user)), Caller(client_for(teacher_user))
    office = Caller(client_for(user_with(Role.EXAM_CONTROLLER, ScopeKind.INSTITUTION)))

    # The classes come from the timetable.
    call_command("generate_sessions", term="NOW")
    classes = registrar.get(f"attendance/sessions/?section={section.pk}&ordering=starts_at")
    assert len(classes) == WEEKS

    # The teacher marks them: Ada is missing in four, Bob in none, Cy in all.
    for number, each in enumerate(classes):
        page = f"/api/v1/attendance/sessions/{each['id']}/roster/"
        absent = [cy] if number >= 4 else [cy, ada]
        marks = [{"enrollment": str(row.pk), "code": "absent"} for row in absent]
        read = teacher.client.get(page)
        answer = teacher.client.put(
            page, {"default": "present", "marks": marks}, format="json", headers={"If-Match": read.headers["ETag"]}
        )
        assert answer.status_code == 200, answer.json()

    # Of one of the four she is excused, and falls short all the same.
    excuse = student.post(
        "attendance/excuses/",
        {
            "student": str(ada.student_id), "kind": "medical", "statement": "A fever",
            "starts_at": classes[0]["starts_at"], "ends_at": classes[0]["ends_at"],
        },
    )  # fmt: skip
    page = f"attendance/excuses/{excuse['id']}/"
    registrar.post(f"{page}approve/", {}, status=200, **registrar.stated(page))
    own = student.get(f"students/{ada.student_id}/attendance/")["sections"][0]
    assert (own["attendance"]["percent"], own["attendance"]["is_short"], own["decision"]) == ("66.67", True, None)
    short = teacher.get(f"attendance/shortages/?section={section.pk}")
    assert [(row["enrollment"], row["attendance"]["percent"]) for row in short] == [
        (str(cy.pk), "0.00"), (str(ada.pk), "66.67"),
    ]  # fmt: skip

    # The examination office decides about everybody, and a second time finds nothing new.
    decided = office.post("attendance/decisions/decide/", {"section": str(section.pk)}, status=200)
    assert decided == {
        "outcomes": {"eligible": 1, "short": 1, "condoned": 0, "not_eligible": 1}, "made": 3, "unchanged": 0,
        "unmarked": 0,
    }  # fmt: skip
    again = office.post("attendance/decisions/decide/", {"section": str(section.pk)}, status=200)
    assert (again["made"], again["unchanged"]) == (0, 3)
    current = f"attendance/decisions/?section={section.pk}&is_current=true"
    found = {row["enrollment"]: row for row in office.get(current)}
    hers = found[str(ada.pk)]
    assert (hers["outcome"], hers["attended"], hers["counted"], hers["exempt"]) == ("short", "6.000", 9, 1)

    # What may be condoned is, for a reason; what lies below the floor is not, and nobody condones their own.
    reason = {"reason": "Was in hospital", "note": "Letter of the clinic"}
    refused = office.post(f"attendance/decisions/{found[str(cy.pk)]['id']}/condone/", reason, status=409)
    assert refused["code"] == "below_condonation_floor"
    student.post(f"attendance/decisions/{hers['id']}/condone/", reason, status=403)
    condoned = office.post(f"attendance/decisions/{hers['id']}/condone/", reason, status=200)
    assert (condoned["outcome"], condoned["condonation"]) == ("condoned", condoned["id"])

    # Ada reads that she is admitted and why, and what was decided before; her teacher that she is.
    own = student.get(f"students/{ada.student_id}/attendance/")["sections"][0]
    assert (own["attendance"]["is_short"], own["decision"]["outcome"]) == (True, "condoned")
    history = student.get("attendance/decisions/")
    assert [(row["outcome"], row["reason"], row["superseded_at"] is None) for row in history] == [
        ("condoned", "Was in hospital", True), ("short", "", False),
    ]  # fmt: skip
    told = {row["enrollment"]: (row["outcome"], row["reason"]) for row in teacher.get(current)}
    assert told == {
        str(ada.pk): ("condoned", None),
        str(bob.pk): ("eligible", None),
        str(cy.pk): ("not_eligible", None),
    }

    # Whoever prints the lists of the examination asks for who is admitted.
    admitted = office.get(f"{current}&outcome=eligible,condoned&fields=id,student,outcome,percent")
    assert {row["student"]["student_no"] for row in admitted} == {ada.student.student_no, bob.student.student_no}
    # And for every mark that it rests on.
    header, *lines = table(registrar_client.get(f"/api/v1/attendance/records/export/?section={section.pk}"))
    marks = Counter(line[header.index("code")] for line in lines if line[0] == ada.student.student_no)
    assert (len(lines), marks) == (3 * WEEKS, {"present": 6, "absent": 3, "excused": 1})
    names = OutboxEvent.objects.filter(name__in=["attendance.eligibility.denied", "attendance.shortage.condoned"])
    assert sorted(names.values_list("name", flat=True)) == [
        "attendance.eligibility.denied", "attendance.eligibility.denied", "attendance.shortage.condoned",
    ]  # fmt: skip
    assert ClassSession.objects.count() == WEEKS
