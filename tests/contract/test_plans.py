"""The commonest questions are answered by indexes, however large the tables have grown.

The statements explained are those that the API runs, with their parameters. "Reading a table
through" is a sequential scan of one of the tables that grow with the university.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from campushub360.demo import seed, university
from campushub360.demo.university import Scale
from courses.models import Section
from enrollment.models import Enrollment
from students.models import ProgramEnrollment, Student
from tests.contract.conftest import client_of
from tests.contract.routes import Route, routes
from tests.demo.seeding import TODAY

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("many"),
    pytest.mark.xdist_group("contract-plans"),
]

MANY = Scale(students=24_000, faculty=900, departments=20, courses_per_department=60, rooms=220, enrollments=90_000)
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
SOME_PAGES = 4


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Provide a larger university, copied in and analysed, until the module is over."""
    with django_db_blocker.unblock(), transaction.atomic():
        scales = {**university.SCALES, "many": MANY}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seed, "SCALES", scales)
            seed.seed(scale="many", seed=1, today=TODAY)
        connection.check_constraints()  # once, rather than at the end of every test
        seed.open_accounts(password=settings.DEMO_PASSWORD)
        yield
        transaction.set_rollback(True)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.fixture(scope="module")
def registrar(many: None) -> APIClient:
    """Provide a client of the registrar, who sees everything."""
    return client_of("registrar")


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


# The ten commonest filters, each with a value that some row has.
QUESTIONS = {
    "a student by number": ("students", lambda: {"student_no": Student.objects.all()[7_000].student_no}),
    "students of a department": ("students", lambda: {"department": Student.objects.all()[0].department_id}),
    "students by status": ("students", lambda: {"status": "active"}),
    "students of a program": ("students", lambda: {"program": ProgramEnrollment.objects.all()[0].program_id}),
    "students of a cohort": ("students", lambda: {"cohort": "2025"}),
    "students of a cohort in a program": (
        "students",
        lambda: {"cohort": "2025", "program": ProgramEnrollment.objects.filter(cohort="2025")[0].program_id},
    ),
    "students by words": ("students", lambda: {"search": "nowak kat"}),
    "students by a number begun": ("students", lambda: {"search": "s2025000"}),
    "students by a name mistyped": ("students", lambda: {"search": "Papadopulos"}),
    "students by a custom field": ("students", lambda: {"custom.blood_group": "AB-"}),
    "sections of a term": ("sections", lambda: {"term": Section.objects.all()[0].term_id}),
    "sections of a course": ("sections", lambda: {"course": Section.objects.all()[0].course_id}),
    "sections of a course in a term": (
        "sections",
        lambda: {"course": Section.objects.all()[0].course_id, "term": Section.objects.all()[0].term_id},
    ),
    "enrolments of a student": ("enrollments", lambda: {"student": Enrollment.objects.all()[0].student_id}),
    "enrolments in a section": ("enrollments", lambda: {"section": Enrollment.objects.all()[0].section_id}),
    "enrolments of a term": ("enrollments", lambda: {"term": Enrollment.objects.all()[0].term_id}),
    "enrolments in a section by status": (
        "enrollments",
        lambda: {"section": Enrollment.objects.filter(status="enrolled")[0].section_id, "status": "enrolled"},
    ),
    "enrolments of somebody": ("enrollments", lambda: {"search": "nowak katarina"}),
}


TABLES = {"students": "students_student", "sections": "courses_section", "enrollments": "enrollment_enrollment"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_common_question_reads_no_table_through(registrar: APIClient, name: str) -> None:
    resource, question = QUESTIONS[name]

    plan = plan_of(registrar, TABLES[resource], f"/api/v1/{resource}/", question())

    assert plan.indexes
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
