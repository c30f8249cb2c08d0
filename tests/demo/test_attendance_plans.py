"""Attendance is read from indexes alone where it is asked for most, in a database as a night leaves it."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attendance.models import AttendanceRecord, AttendanceSummary, ClassSession
from tests.attendance.factories import usual_codes
from tests.contract.conftest import client_of
from tests.demo.seeding import TODAY

# Nobody clears up what is not committed.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(300)]


def test_what_is_asked_for_most_is_read_from_indexes_alone_and_in_few_months() -> None:
    usual_codes()
    call_command("seed_demo", today=TODAY, attendance_months=3, verbosity=0)
    assert AttendanceRecord.objects.count() > 40_000

    a_student_asks()
    somebody_looks_at_a_month_of_a_section()
    somebody_looks_at_two_hundred_classes()


def a_student_asks() -> None:
    summary = AttendanceSummary.objects.filter(is_short=True).select_related("enrollment")[0]

    nodes = plan_of(f"/api/v1/students/{summary.enrollment.student_id}/attendance/", "CROSS JOIN LATERAL")

    marks = [node for node in nodes if is_of(node, "attendance_attendancerecord")]
    assert {node["Node Type"] for node in nodes if is_of(node, "attendance_classsession")} == {"Index Only Scan"}
    # Empty months are read through, which is nothing.
    assert {node["Node Type"] for node in marks if is_of(node, "attendance_attendancerecord_202611")} == {
        "Index Only Scan"
    }
    assert not [node for node in marks if is_of(node, "attendance_attendancerecord_202610")]
    assert [
        (node["Node Type"], node["Index Name"]) for node in nodes if is_of(node, "attendance_attendancesummary")
    ] == [("Index Only Scan", "attendance_summary_of_student")]


def somebody_looks_at_a_month_of_a_section() -> None:
    section = AttendanceRecord.objects.filter(local_date=date(2026, 10, 15))[0].section_id
    url = f"/api/v1/attendance/records/?section={section}&date_from=2026-10-01&date_to=2026-10-31&page=1"

    counting = [node for node in plan_of(url, "COUNT(") if is_of(node, "attendance_attendancerecord")]

    assert [(node["Node Type"], node["Relation Name"]) for node in counting] == [
        ("Index Only Scan", "attendance_attendancerecord_202610")
    ]
    # The rows of the page are found by their keys and the days that say in which month each lies.
    for page in (url, url.removesuffix("&page=1")):
        looked_at = read_by(page, '"attendance_attendancerecord"."marked_at"')
        assert looked_at == {"attendance_attendancerecord_202610"}


def somebody_looks_at_two_hundred_classes() -> None:
    """How many were there stands beside each, and costs what the marks of these classes do."""
    nodes = plan_of(
        f"/api/v1/attendance/sessions/?date_to={TODAY}&ordering=-starts_at&page_size=200", "unmarked", analyze=True
    )

    marks = [node for node in nodes if is_of(node, "attendance_attendancerecord") and node["Actual Loops"]]
    read = sum(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in marks)
    shown = ClassSession.objects.filter(local_date__lte=TODAY).order_by("-starts_at", "-pk")[:201]
    theirs = AttendanceRecord.objects.filter(session__in=[row.pk for row in shown]).count()
    assert {node["Node Type"] for node in marks} <= {"Index Only Scan", "Index Scan"}
    assert theirs <= read <= 2 * theirs


def read_by(url: str, words: str) -> set[str]:
    """Return which months of marks were looked into by the statement with these words that answers the registrar."""
    nodes = plan_of(url, words, analyze=True)
    return {
        node["Relation Name"] for node in nodes if is_of(node, "attendance_attendancerecord") and node["Actual Loops"]
    }


def plan_of(url: str, words: str, *, analyze: bool = False) -> list[dict[str, Any]]:
    """Ask the API as the registrar, and return the nodes by which the statement with these words is answered."""
    client = client_of("registrar")
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, answer.content
    (statement,) = [query["sql"] for query in captured if words in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE {analyze}, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    return list(nodes_of((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


def is_of(node: dict[str, Any], table: str) -> bool:
    return node.get("Relation Name", "").startswith(table)
