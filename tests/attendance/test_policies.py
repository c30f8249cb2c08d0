"""By which rule attendance is judged: the nearest to the student, as it was when the term began."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from attendance import services
from attendance.calculation import tallies, units
from attendance.models import AttendancePolicy
from attendance.services.policies import PolicyInUseError
from tests.attendance.factories import AttendancePolicyFactory, ClassSessionFactory
from tests.attendance.test_standings import NOW, WEEK, tally, term_of
from tests.courses.factories import CourseFactory, SectionFactory
from tests.departments.factories import DepartmentFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/policies/"
D = Decimal


def within(term, **values):
    """Return a version that is in force when a term begins, and a week before and after."""
    return AttendancePolicyFactory(valid=DateRange(term.starts_on - WEEK, term.starts_on + WEEK, "[)"), **values)


@pytest.fixture
def student():
    college = DepartmentFactory()
    section = SectionFactory(course=CourseFactory(department=DepartmentFactory(parent=college)))
    enrollment = EnrollmentFactory(section=section)
    enrollment.college, enrollment.faculty = college, section.course.department
    enrollment.program = ProgramEnrollmentFactory(student=enrollment.student, is_primary=True).program
    return enrollment


def test_the_most_specific_policy_of_the_first_day_of_the_term_decides(student):
    section = student.section
    scopes = [
        {}, {"department": student.college}, {"department": student.faculty}, {"program": student.program},
        {"course": section.course}, {"section": section},
    ]  # fmt: skip
    # Of another scope, and of other days: they decide nothing.
    for other in ({"course": CourseFactory()}, {"section": SectionFactory()}, {"department": DepartmentFactory()}):
        within(section.term, threshold=99, **other)
    AttendancePolicyFactory(valid=DateRange(section.term.starts_on + WEEK, None, "[)"), threshold=98)

    found = [tally(student).threshold]
    for number, scope in enumerate(scopes):
        within(section.term, threshold=80 + number, **scope)
        found.append(tally(student).threshold)

    assert found == [75, 80, 81, 82, 83, 84, 85]


@pytest.mark.parametrize(
    ("rounding", "threshold", "marks", "is_short"),
    [
        ("exact", "66.67", "ppa", True),
        ("hundredth", "66.67", "ppa", False),
        ("hundredth", "66.68", "ppa", True),
        ("whole", "67", "ppa", False),
        ("whole", "67.5", "ppa", True),
        ("whole", "63", "pppppaaa", False),  # 62.5, half up
        ("exact", "62.5", "pppppaaa", False),
    ],
)
def test_a_percentage_is_rounded_as_the_policy_says_before_it_is_compared(
    student, rounding, threshold, marks, is_short
):
    within(student.section.term, rounding=rounding, threshold=D(threshold), condonation_floor=0)
    term_of(student, marks)

    assert tally(student).is_short is is_short


@pytest.mark.parametrize(
    ("late_weight", "lates_per_absence", "marks", "attended"),
    [
        (None, None, "lll", "3"), ("0.5", None, "lll", "1.5"), ("1", 3, "llllllp", "5"), ("0.5", 2, "llla", "1"),
        ("1", 3, "lelpl", "3"),
    ],
)  # fmt: skip
def test_lates_count_what_the_policy_says_and_so_many_come_to_an_absence(
    student, late_weight, lates_per_absence, marks, attended
):
    within(student.section.term, late_weight=late_weight and D(late_weight), lates_per_absence=lates_per_absence)
    term_of(student, marks)

    # `tally` holds the units against it, too.
    assert tally(student).attended == D(attended)
    if lates_per_absence == 3:
        lates = [unit.weight for unit in units(student.pk, at=NOW) if unit.code == "late"]
        assert [index for index, weight in enumerate(lates, start=1) if not weight] == list(range(3, len(lates) + 1, 3))


def test_where_courses_are_judged_together_one_makes_up_for_another(student, django_assert_max_num_queries):
    other = EnrollmentFactory(student=student.student, section=SectionFactory(term=student.term))
    left = EnrollmentFactory(
        student=student.student, section=SectionFactory(term=student.term), status="withdrawn", dropped_at=NOW
    )
    within(student.term, basis="aggregate")
    for enrollment, marks in ((student, "paa"), (other, "ppppp"), (left, "aaa")):
        term_of(enrollment, marks)
    ClassSessionFactory(section=student.section, starts_at=NOW + WEEK)

    with django_assert_max_num_queries(3):
        found = tallies([student.pk, left.pk], at=NOW)

    # Six of eight; of nine with the one that is to come, 6.75 are asked for.
    assert (found[student.pk].percent, found[student.pk].is_short, found[student.pk].may_miss) == (D("33.33"), False, 0)
    assert found[left.pk].is_short is True


def test_what_students_were_judged_by_stays_and_later_terms_get_another_rule(student, registrar_client):
    term_of(student, "p")
    began = student.term.starts_on
    later = TermFactory(starts_on=date(began.year + 1, 1, 1), ends_on=date(began.year + 1, 6, 1))

    def post(**body):
        return registrar_client.post(LIST, body, format="json")

    def patch(pk, **body):
        return registrar_client.patch(f"{LIST}{pk}/", body, format="json")

    refused = [post(threshold="80.00"), post(threshold="80.00", section=str(student.section.pk))]
    made = post(threshold="80.00", starts_on=later.starts_on.isoformat())
    elsewhere = post(threshold="90.00", course=str(CourseFactory().pk))
    pk = made.json()["data"]["id"]
    judging = AttendancePolicyFactory(course=student.section.course)
    refused += [
        patch(pk, starts_on=began.isoformat()),
        patch(judging.pk, threshold="60.00", condonation_floor="50.00"),
        patch(judging.pk, ends_on=began.isoformat()),
        registrar_client.delete(f"{LIST}{judging.pk}/"),
    ]

    assert (made.status_code, elsewhere.status_code) == (201, 201)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "policy_in_use")] * 6
    assert patch(pk, threshold="85.00", ends_on="2199-01-01").json()["data"]["threshold"] == "85.00"
    assert patch(judging.pk, ends_on=later.starts_on.isoformat()).status_code == 200
    assert registrar_client.delete(f"{LIST}{pk}/").status_code == 204
    judging.refresh_from_db()
    assert (judging.threshold, judging.version) == (75, 2)


def test_when_somebody_is_late_and_when_sheets_are_locked_judges_nobody_and_changes_at_any_time(
    student, registrar_client
):
    judging = AttendancePolicyFactory(course=student.section.course)
    term_of(student, "p")

    body = {"lock_after": 7, "late_after": 5}
    changed = registrar_client.patch(f"{LIST}{judging.pk}/", body, format="json")
    refused = registrar_client.patch(f"{LIST}{judging.pk}/", {"lock_after": 3, "threshold": "80.00"}, format="json")

    assert (changed.status_code, changed.json()["data"]["lock_after"]) == (200, 7)
    assert refused.json()["code"] == "policy_in_use"
    judging.refresh_from_db()
    assert (judging.lock_after, judging.late_after, judging.threshold) == (7, 5, 75)


def test_whether_anybody_is_judged_is_asked_of_what_marks_come_to(student):
    """Of the marks themselves, it would be asked of every month, once for each enrolment."""
    with CaptureQueriesContext(connection) as captured:
        services.create_policy(by=None, threshold=D("80.00"))

    assert not any("attendance_attendancerecord" in each["sql"] for each in captured)
    term_of(student, "e")
    with pytest.raises(PolicyInUseError):
        services.create_policy(by=None, threshold=D("80.00"), section=student.section)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"starts_on": "2026-09-01", "ends_on": "2026-09-01"}, 400, "ends_before_start"),
        ({"threshold": "60.00"}, 400, "floor_above_threshold"),
        ({"threshold": "100.01"}, 400, "max_value"),
        ({"lates_per_absence": 3}, 400, "lates_without_weight"),
        ({"lates_per_absence": 0, "late_weight": "1.000"}, 400, "lates_without_weight"),
        ({"basis": "mood"}, 400, "invalid_choice"),
        ({}, 409, "effective_overlap"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(registrar_client, body, status, code):
    AttendancePolicyFactory()

    answer = registrar_client.post(LIST, {"threshold": "75.00", **body}, format="json")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
    assert AttendancePolicy.objects.count() == 1


def test_a_list_of_policies_costs_three_statements_and_is_narrowed_to_a_day(
    registrar_client, django_assert_max_num_queries
):
    AttendancePolicyFactory(valid=DateRange(None, date(2026, 1, 1), "[)"))
    now = AttendancePolicyFactory(valid=DateRange(date(2026, 1, 1), None, "[)"), section=None, course=CourseFactory())

    with django_assert_max_num_queries(3):
        data = registrar_client.get(f"{LIST}?on=2026-10-01").json()["data"]

    assert [(row["id"], row["starts_on"], row["ends_on"]) for row in data] == [(str(now.pk), "2026-01-01", None)]


def test_nobody_makes_a_policy_by_sending_nothing(registrar_client):
    answer = registrar_client.post(LIST, {}, format="json")

    assert [(each["code"], each["field"]) for each in answer.json()["errors"]] == [("required", "threshold")]
    assert not AttendancePolicy.objects.exists()
