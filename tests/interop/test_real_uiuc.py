"""A summer's catalogue of the University of Illinois, imported whole."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db.models import Count, Q, Sum

from courses.models import Course, CourseVersion, Meeting, MeetingSection, Section, SectionInstructor
from departments.models import Department, Term
from faculty.models import Faculty
from interop import services
from interop.models import ExternalIdentifier, ImportRow, ImportState
from tests.interop import command, over_http
from tests.interop.data import DATA, dump, empty_database, needs

pytestmark = [needs("uiuc_catalog_open"), pytest.mark.sweep]

FILE = DATA / "uiuc_catalog_open" / "2024-su.csv.gz"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((FILE.parent / "expected.json").read_text())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as stream:
        return [{name: unescape(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]


@pytest.fixture(scope="module")
def by_command(django_db_setup: None, django_db_blocker: Any) -> Iterator[command.Imported]:
    """The first import, by the command, shared by all tests; what takes it back is in no transaction, so last."""
    with django_db_blocker.unblock():
        empty_database()
        try:
            yield command.imported("uiuc_catalogue", FILE)
        finally:
            empty_database()


@pytest.fixture
def first(by_command: Any) -> Any:
    return by_command.job


@pytest.fixture
def printed(by_command: Any) -> Any:
    return by_command.printed


@pytest.mark.usefixtures("db")
class TestTheFirstImport:
    def test_is_told_in_one_line_and_takes_little_memory(self, first: Any, printed: dict[str, Any]) -> None:
        assert printed == services.summary(first)
        assert list(printed) == [
            "kind",
            "created",
            "updated",
            "unchanged",
            "rejected",
            "rows",
            "seconds",
            "peak_mb",
            "by_type",
        ]
        assert printed["rows"] == first.rows_read
        assert 0 < printed["peak_mb"] <= command.MEMORY

    def test_nobody_is_without_a_name(self, first: Any) -> None:
        assert first.state == ImportState.APPLIED
        assert {row.person.name == row.employee_no for row in Faculty.objects.select_related("person")} == {True}

    def test_brings_what_the_catalogue_counts(self, first: Any, expected: dict[str, Any]) -> None:
        assert first.state == ImportState.APPLIED
        assert first.rows_read == expected["section_rows"]
        assert Course.objects.count() == expected["distinct_courses"]
        assert Section.objects.count() == expected["distinct_crn"]
        assert Department.objects.count() == expected["subjects"]
        assert services.summary(first)["rejected"] == 0

    def test_writes_no_html_entity(self, first: Any) -> None:
        assert not CourseVersion.objects.filter(Q(title__contains="&amp;") | Q(description__contains="&quot;")).exists()
        assert CourseVersion.objects.get(course__code="AAS 201").title == "US Racial & Ethnic Politics"

    def test_reads_credits_in_each_way_of_writing(self, first: Any, rows: list[dict[str, str]]) -> None:
        written = {f"{row['Subject']} {row['Number']}": row["Credit Hours"] for row in rows}
        courses = Course.objects.values_list("code", "current_version__credits", "current_version__credits_max")

        for code, least, most in courses:
            numbers = [word for word in written[code].replace(".", "").split() if word.isdigit()]
            assert [f"{number:.0f}" for number in (least, most) if number is not None] == numbers

    def test_knows_each_section_by_its_registration_number(self, first: Any, expected: dict[str, Any]) -> None:
        names = ExternalIdentifier.objects.filter(scheme="uiuc", entity_type="courses.section")

        assert names.count() == expected["distinct_crn"]
        section = Section.objects.get(pk=names.get(value="2024-su/33933").object_id)
        assert (section.course.code, section.code) == ("AFST 231", "C1")

    def test_gives_arranged_sections_no_meeting(self, first: Any, rows: list[dict[str, str]]) -> None:
        scheduled = {row["CRN"] for row in rows if row["Start Time"] != "ARRANGED" and row["Days of Week"].strip()}

        meeting = Section.objects.annotate(number=Count("meeting_sections")).filter(number__gt=0)
        assert meeting.count() == len(scheduled)

    def test_makes_repeated_numbers_meetings_of_one_section(self, first: Any) -> None:
        section = Section.objects.get(term__code="2024-su", course__code="AFST 231", code="C1")

        times = MeetingSection.objects.filter(section=section).values_list("meeting__weekday", "meeting__starts_at")
        assert sorted((day, f"{starts:%H:%M}") for day, starts in times) == [
            (day, starts) for day in (1, 2, 3, 4, 5) for starts in ("09:00", "12:00")
        ]

    def test_lets_sections_of_courses_that_are_the_same_share_a_meeting(self, first: Any) -> None:
        meetings = Meeting.objects.filter(room__building__code="Everitt Laboratory", room__code="1306", weekday=1)
        shared = meetings.get(meeting_sections__section__course__code="STAT 410", meeting_sections__section__code="1UG")

        served = shared.meeting_sections.values_list("section__course__code", "section__code")
        assert sorted(served) == [("MATH 464", "1GR"), ("MATH 464", "1UG"), ("STAT 410", "1GR"), ("STAT 410", "1UG")]
        assert not shared.conflict_waived

    def test_records_every_other_clash_and_flags_it(self, first: Any) -> None:
        waived = Meeting.objects.filter(conflict_waived=True)
        flagged = ImportRow.objects.filter(job=first, resource="meetings", notes__contains=[{"code": "room_conflict"}])

        assert waived.count() == flagged.count() > 0
        assert set(flagged.values_list("object_id", flat=True)) == set(waived.values_list("pk", flat=True))

    def test_parts_the_load_equally_among_instructors(self, first: Any) -> None:
        shares = SectionInstructor.objects.values("section").annotate(whole=Sum("share"))

        assert {row["whole"] for row in shares} == {100}
        section = Section.objects.get(course__code="AFST 231", code="C1")
        taught = list(section.section_instructors.order_by("-share").values_list("role", "share"))
        assert taught[0] == ("primary", Decimal("33.34"))
        assert len(taught) == 3

    def test_says_that_the_days_of_the_term_were_assumed(self, first: Any) -> None:
        row = ImportRow.objects.get(job=first, resource="terms")

        assert [note["code"] for note in row.notes] == ["assumed_date"]
        assert Term.objects.get(code="2024-su").state == "closed"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_over_http_a_second_run_changes_nothing_and_taking_the_first_back_leaves_nothing(
    *,
    by_command: Any,
    expected: dict[str, Any],
    registrar: Any,
    registrar_client: Any,
    work: Callable[[], int],
) -> None:
    """A third creates all of it, and is told and taken back as the first."""
    between, catalogue = dump(), FILE.read_bytes()

    second = over_http.imported(registrar_client, work, "uiuc_catalogue", FILE.name, catalogue)

    assert dump() == between
    counts = second["counts"]
    assert (second["state"], counts["created"], counts["updated"], counts["rejected"]) == ("applied", 0, 0, 0)
    first = over_http.taken_back(registrar_client, work, by_command.job.pk)
    assert (first["state"], first["reversal"]["deleted"]) == ("reverted", services.summary(by_command.job)["created"])
    assert over_http.without(registrar, dump()) == by_command.before

    third = over_http.imported(registrar_client, work, "uiuc_catalogue", FILE.name, catalogue, force=True)

    created = {resource: counts["created"] for resource, counts in third["counts"]["by_type"].items()}
    assert (third["state"], third["counts"]["rejected"], third["rows_read"]) == ("applied", 0, expected["section_rows"])
    assert created["courses"] == Course.objects.count() == expected["distinct_courses"]
    assert created["sections"] == Section.objects.count() == expected["distinct_crn"]
    assert created["departments"] == Department.objects.count() == expected["subjects"]
    told = over_http.reported(registrar_client, third["id"])
    assert {resource: told[resource, "created"] for resource in created} == created
    back = over_http.taken_back(registrar_client, work, third["id"])
    assert (back["state"], back["reversal"]["deleted"]) == ("reverted", third["counts"]["created"])
    assert over_http.without(registrar, dump()) == by_command.before
