"""Who falls short: whom one may see, in order, and at the cost of a page."""

import re
from datetime import date

import pytest
from django.urls import reverse

from accounts.roles import Role, ScopeKind
from attendance.models import AttendanceSummary
from audit.models import Disclosure
from tests.attendance.factories import AttendancePolicyFactory, ClassSessionFactory
from tests.attendance.test_standings import NOW, WEEK, term_of
from tests.courses.factories import CourseFactory, SectionFactory, SectionInstructorFactory
from tests.departments.factories import DepartmentFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/attendance/shortages/"


@pytest.fixture
def term():
    """Two sections of a term, in one of which three fall short and one does not."""
    term = TermFactory(state="in_progress")
    college = DepartmentFactory()
    course = CourseFactory(department=DepartmentFactory(parent=college))
    term.section, term.college = SectionFactory(term=term, course=course), college
    term.other = SectionFactory(term=term)
    term.short = [EnrollmentFactory(section=term.section) for _ in range(3)]
    for enrollment, marks in zip(term.short, ("paa", "aap", "ppa"), strict=True):
        term_of(enrollment, marks)
    term_of(EnrollmentFactory(section=term.section), "ppp")
    term.elsewhere = EnrollmentFactory(section=term.other)
    term_of(term.elsewhere, "a")
    return term


def shown(client, question=""):
    answer = client.get(f"{LIST}{question}")
    assert answer.status_code == 200, answer.json()
    return [row["enrollment"] for row in answer.json()["data"]]


def test_those_who_fall_short_come_from_the_lowest_percentage_on_page_by_page(term, registrar_client):
    first = registrar_client.get(f"{LIST}?page_size=3").json()
    second = registrar_client.get(first["meta"]["pagination"]["next"]).json()

    found = [*first["data"], *second["data"]]
    assert [row["attendance"]["percent"] for row in found] == ["0.00", "33.33", "33.33", "66.67"]
    assert [row["enrollment"] for row in found][::3] == [str(term.elsewhere.pk), str(term.short[2].pk)]
    assert {row["attendance"]["is_short"] for row in found} == {True}


def test_it_is_narrowed_and_searched(term, registrar_client):
    last = term.short[2]
    three = {str(row.pk) for row in term.short}

    assert set(shown(registrar_client, f"?section={term.section.pk}")) == three
    assert set(shown(registrar_client, f"?department={term.college.pk}")) == three
    assert len(shown(registrar_client, f"?term={term.pk}")) == 4
    assert len(shown(registrar_client, f"?section={term.section.pk}&percent_below=40")) == 2
    assert shown(registrar_client, f"?search={last.student.student_no}") == [str(last.pk)]
    assert shown(registrar_client, f"?term={TermFactory().pk}") == []


def test_a_page_costs_the_same_however_many_fall_short(term, registrar_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        assert len(shown(registrar_client)) == 4

    assert Disclosure.objects.filter(what="attendance").count() == 4


def test_the_policy_says_who_falls_short_and_what_may_be_missed_yet(registrar_client):
    section = SectionFactory(term=TermFactory(state="in_progress"))
    AttendancePolicyFactory(section=section, threshold=50, condonation_floor=40)
    enrollment = EnrollmentFactory(section=section)
    term_of(enrollment, "paaa")
    for weeks in range(1, 9):
        ClassSessionFactory(section=section, starts_at=NOW + 9 * WEEK + weeks * WEEK)

    (row,) = registrar_client.get(LIST).json()["data"]

    # One of four; of twelve, six are asked for.
    assert (row["attendance"]["threshold"], row["attendance"]["to_come"], row["attendance"]["may_miss"]) == (
        "50.00",
        8,
        3,
    )
    assert AttendanceSummary.objects.get(enrollment=enrollment).policy.threshold == 50


def test_everybody_is_shown_theirs_and_students_nothing(term, user_with, client_for):
    taught = SectionInstructorFactory(section=term.other)
    seen = {
        "teacher": shown(client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))),
        "head": shown(client_for(user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, term.college.pk))),
    }
    student = client_for(user_with(Role.STUDENT, "self", person=term.elsewhere.student.person))

    assert seen["teacher"] == [str(term.elsewhere.pk)]
    assert set(seen["head"]) == {str(row.pk) for row in term.short}
    assert student.get(LIST).status_code == 403


def test_the_page_has_a_chart_of_what_the_list_is_narrowed_to(term, user_with, client):
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
    page = reverse("admin:attendance_attendancesummary_changelist")

    everybody = client.get(page)
    one = client.get(page, {"q": term.elsewhere.student.student_no})
    nobody = client.get(page, {"q": "nobody has this number"})

    def told(answer):
        return re.findall(r"<title>(\d+) to \d+ per cent: ([1-9]\d*)</title>", answer.content.decode())

    assert told(everybody) == [("0", "1"), ("30", "2"), ("60", "1")]
    assert (told(one), told(nobody)) == ([("0", "1")], [])
    assert "style=" not in everybody.content.decode().partition("<svg")[2].partition("</svg>")[0]
    assert "unsafe-inline" not in everybody.headers["Content-Security-Policy"]
    assert Disclosure.objects.filter(what="attendance").count() == 5


@pytest.mark.parametrize(("marks", "bars"), [("ee", [("0", "1")]), ("p", [("0", "1"), ("90", "1")])])
def test_where_courses_are_judged_together_one_may_have_no_percentage_or_a_full_one(
    registrar_client, user_with, client, marks, bars
):
    term = TermFactory(state="in_progress")
    AttendancePolicyFactory(basis="aggregate")
    lost = EnrollmentFactory(section=SectionFactory(term=term))
    other = EnrollmentFactory(section=SectionFactory(term=term), student=lost.student)
    term_of(lost, "aaa")
    term_of(other, marks)
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))

    page = client.get(reverse("admin:attendance_attendancesummary_changelist"))
    first = registrar_client.get(f"{LIST}?page_size=1").json()
    second = registrar_client.get(first["meta"]["pagination"]["next"]).json()

    told = re.findall(r"<title>(\d+) to \d+ per cent: ([1-9]\d*)</title>", page.content.decode())
    assert (page.status_code, told) == (200, bars)
    assert page.context_data["chart"]["total"] == len(bars)
    assert [row["enrollment"] for answer in (first, second) for row in answer["data"]] == [str(lost.pk), str(other.pk)]


def test_the_trend_says_week_by_week_what_somebody_had_come_to(term, registrar_client):
    data = registrar_client.get(f"/api/v1/enrollments/{term.short[0].pk}/attendance/").json()["data"]

    assert [(week["attended"], week["counted"], week["percent"]) for week in data["trend"]] == [
        ("1.000", 1, "100.00"), ("1.000", 2, "50.00"), ("1.000", 3, "33.33"),
    ]  # fmt: skip
    assert data["trend"][-1]["percent"] == data["attendance"]["percent"]
    assert {date.fromisoformat(week["week"]).isoweekday() for week in data["trend"]} == {1}
