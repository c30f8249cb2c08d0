"""On the medium demo data the commonest questions are answered by indexes, for whoever asks.

The statements explained are those that the API runs, with their parameters. "Reading a table
through" is a sequential scan of one of the tables that grow with the university.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.visibility import visible
from courses.models import Section
from departments.models import Room
from enrollment.models import Enrollment
from faculty.models import Faculty
from students.models import ProgramEnrollment, Student
from tests.contract.conftest import client_of
from tests.contract.routes import Route, routes
from tests.demo import test_university
from tests.demo.seeding import demo_user, seeded

# Filling the database takes minutes on a busy machine, and counts for the test that happens to be the first.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.sweep,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("medium"),
]

GROWING = {
    "accounts_person",
    "courses_meeting",
    "courses_meetingsection",
    "courses_section",
    "courses_sectioninstructor",
    "enrollment_enrollment",
    "students_programenrollment",
    "students_student",
}
MODELS: dict[str, type[Model]] = {"students": Student, "sections": Section, "enrollments": Enrollment}
SOME_PAGES = 4


@pytest.fixture(scope="module")
def medium(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Provide what `seed_demo --scale medium` makes, and clear away what is left of it when the module is over."""
    with seeded(django_db_blocker, scale="medium"):
        yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@pytest.fixture(scope="module")
def registrar(medium: None) -> APIClient:
    """Provide a client of the registrar, who sees everything."""
    return client_of("registrar")


@pytest.fixture(scope="module")
def clients(medium: None) -> dict[str, APIClient]:
    """Provide clients of those who see everything, a department and themselves."""
    return {role: client_of(role) for role in ("registrar", "department_head", "student")}


@dataclass(frozen=True)
class Plan:
    """How PostgreSQL answers a statement."""

    nodes: tuple[dict[str, Any], ...]
    text: str

    @property
    def read_through(self) -> set[str]:
        """Return the growing tables that are read from end to end."""
        return {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"} & GROWING

    @property
    def most_sorted(self) -> int:
        """Return how many rows went into the largest sort."""
        sorts = [node for node in self.nodes if node["Node Type"] in ("Sort", "Incremental Sort")]
        return max((int(child["Actual Rows"]) for node in sorts for child in node["Plans"]), default=0)

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}


def plan_of(client: APIClient, table: str, url: str, question: dict[str, Any] | None = None) -> Plan:
    """Ask the API, insist on rows, and explain the statement that found them in the table."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, question)
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"], (url, question)
    statement = [query["sql"] for query in captured if f'FROM "{table}"' in query["sql"]][-1]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    tree = json.loads(found) if isinstance(found, str) else found
    return Plan(tuple(nodes_of(tree[0]["Plan"])), json.dumps(tree, indent=1))


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node of a plan and all below it, but not what turned out needless and was not run."""
    if not node["Actual Loops"]:
        return
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


@pytest.mark.parametrize(
    "promise",
    [
        test_university.test_no_section_holds_more_students_than_seats,
        test_university.test_every_section_counts_the_students_it_has,
        test_university.test_no_teacher_is_in_two_sections_at_one_time,
        test_university.test_no_room_has_two_meetings_at_one_time,
        test_university.test_rooms_seat_their_sections,
        test_university.test_every_section_is_taught_and_meets,
        test_university.test_no_student_takes_a_course_twice,
    ],
)
def test_a_larger_university_keeps_the_same_rules(promise: Callable[[], None]) -> None:
    promise()


def test_the_medium_university_has_its_size() -> None:
    assert Student.objects.count() == 50_000
    assert Enrollment.objects.count() == 500_000
    assert ProgramEnrollment.objects.count() == 50_000
    assert Faculty.objects.count() == 2_000
    assert Room.objects.count() == 260


class Seen:
    """Rows in sight of somebody, from the middle of the tables."""

    def __init__(self, role: str) -> None:
        self.user = demo_user(role)

    def some(self, model: type[Model], **conditions: Any) -> Any:
        rows: QuerySet[Any] = visible(model._default_manager.filter(**conditions), self.user).order_by("pk")
        return rows[rows.count() // 2]

    @property
    def student(self) -> Student:
        return self.some(Student)

    @property
    def section(self) -> Section:
        return self.some(Enrollment, status="enrolled").section


# The ten commonest filters, each with a value that some row in sight has.
FILTERS = {
    "a student by number": ("students", lambda seen: {"student_no": seen.student.student_no}),
    "students of a department": ("students", lambda seen: {"department": seen.student.department_id}),
    "students by status": ("students", lambda seen: {"status": seen.student.status}),
    "students of a program": ("students", lambda seen: {"program": primary(seen.student).program_id}),
    "students of a cohort": ("students", lambda seen: {"cohort": primary(seen.student).cohort}),
    "sections of a term": ("sections", lambda seen: {"term": seen.section.term_id}),
    "sections of a course in a term": (
        "sections",
        lambda seen: {"course": seen.section.course_id, "term": seen.section.term_id},
    ),
    "enrolments of a student": ("enrollments", lambda seen: {"student": seen.some(Enrollment).student_id}),
    "enrolments in a section by status": (
        "enrollments",
        lambda seen: {"section": seen.section.pk, "status": "enrolled"},
    ),
    "enrolments of a term": ("enrollments", lambda seen: {"term": seen.section.term_id}),
}
MORE = {
    "students of a cohort in a program": (
        "students",
        lambda seen: {"cohort": primary(seen.student).cohort, "program": primary(seen.student).program_id},
    ),
    "students by a custom field": (
        "students",
        lambda seen: {"custom.blood_group": seen.student.custom_data["blood_group"]},
    ),
    "students by words": ("students", lambda seen: {"search": named(seen.student)}),
    "students by a number begun": ("students", lambda seen: {"search": seen.student.student_no.lower()[:-2]}),
    "sections of a course": ("sections", lambda seen: {"course": seen.section.course_id}),
    "enrolments in a section": ("enrollments", lambda seen: {"section": seen.section.pk}),
    "enrolments of somebody": ("enrollments", lambda seen: {"search": named(seen.some(Enrollment).student)}),
    "the latest students": ("students", lambda seen: {"ordering": "-admitted_on"}),
    "the latest enrolments": ("enrollments", lambda seen: {"ordering": "-enrolled_at"}),
    "the first enrolments": ("enrollments", lambda seen: {"ordering": "enrolled_at"}),
    **{f"the {name}": (name, lambda seen: {}) for name in MODELS},
}


def primary(student: Student) -> ProgramEnrollment:
    return student.program_enrollments.get(is_primary=True)


def named(student: Student) -> str:
    """Return the beginning of a name as somebody in a hurry types it."""
    return f"{student.person.last_name} {student.person.first_name[:3]}".lower()


# One in 26 of these students has a given family name: to read all of them costs less than to look up each of those.
READ_THROUGH = {"enrolments of somebody": {"students_student"}}


@pytest.mark.parametrize("role", ["registrar", "department_head", "student"])
@pytest.mark.parametrize("name", [*FILTERS, *MORE])
def test_a_common_question_reads_and_sorts_no_whole_table(clients: dict[str, APIClient], role: str, name: str) -> None:
    resource, question = (FILTERS | MORE)[name]
    model = MODELS[resource]

    plan = plan_of(clients[role], model._meta.db_table, f"/api/v1/{resource}/", question(Seen(role)))

    assert plan.indexes
    assert plan.read_through <= READ_THROUGH.get(name, set()), plan.text
    # A head of department has a twentieth of the university in sight.
    assert plan.most_sorted < model._default_manager.count() / 10, plan.text


def test_a_name_mistyped_is_looked_up_by_its_trigrams(registrar: APIClient) -> None:
    plan = plan_of(registrar, "students_student", "/api/v1/students/", {"search": "Papadopulos"})

    assert "accounts_person_trigrams" in plan.indexes
    assert not plan.read_through, plan.text


def test_each_word_of_a_search_is_looked_up_once(registrar: APIClient) -> None:
    plan = plan_of(registrar, "students_student", "/api/v1/students/", {"search": "an ma s"})

    lookups = [node for node in plan.nodes if node.get("Index Name", "").endswith("_words")]
    assert len(lookups) >= 3
    assert {node["Actual Loops"] for node in lookups} == {1}


def grown(route: Route) -> bool:
    """Say whether a list shows one of the growing tables."""
    return route.lists and route.model._meta.db_table in GROWING


# Every enrolment changes the counter: an index would cost each of them more than a sort costs a reader.
UNORDERED = {("courses_section", "enrolled_count")}
ORDERINGS = [
    pytest.param(route, sign + name, id=f"{route} {sign}{name}")
    for route in routes()
    if grown(route)
    for name in route.view.ordering_fields
    for sign in ("", "-")
    if (route.model._meta.db_table, name) not in UNORDERED
]


@pytest.mark.parametrize(("route", "ordering"), ORDERINGS)
def test_a_page_deep_in_begins_where_an_index_says(registrar: APIClient, route: Route, ordering: str) -> None:
    url, question = route.list_url(), {"ordering": ordering, "page_size": 25}
    for _ in range(SOME_PAGES):
        following = registrar.get(url, question).json()["meta"]["pagination"]["next"]
        url, question = following or url, {} if following else question

    plan = plan_of(registrar, route.model._meta.db_table, url, question)

    assert not plan.read_through, plan.text
