"""One year of the Open University, imported whole: its counts are those of `expected.json`."""

import gzip
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models import Count

from core.models import CustomField
from courses.models import Course, Section
from enrollment.models import Enrollment
from interop import services
from interop.models import ExternalIdentifier, ImportRow, ImportState
from students.models import Student
from tests.interop import command, over_http
from tests.interop.data import DATA, dump, empty_database, needs

pytestmark = [needs("oulad_open"), pytest.mark.sweep]

FOLDER = DATA / "oulad_open"


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return json.loads((FOLDER / "expected.json").read_text())


@pytest.fixture(scope="module")
def by_command(django_db_setup: None, django_db_blocker: Any) -> Iterator[command.Imported]:
    """The first import, by the command, shared by all tests; what takes it back is in no transaction, so last."""
    with django_db_blocker.unblock():
        empty_database()
        try:
            yield command.imported("oulad", FOLDER)
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

    def test_creates_everything_and_refuses_nothing(self, first: Any, expected: dict[str, Any]) -> None:
        found = services.summary(first)

        assert first.state == ImportState.APPLIED
        assert found["updated"] == found["unchanged"] == found["rejected"] == 0
        created = {resource: counts["created"] for resource, counts in found["by_type"].items()}
        assert created == {
            "departments": 1,
            "academic-years": 1,
            "terms": 2,
            "custom-fields": 5,
            "courses": 6,
            "sections": len(expected["per_presentation"]),
            "students": expected["distinct_students"],
            "enrollments": expected["rows"]["student_registration"],
        }

    def test_counts_the_rows_that_it_read(self, first: Any, expected: dict[str, Any]) -> None:
        rows = expected["rows"]

        assert first.rows_read == rows["course"] + rows["student"] + rows["student_registration"]

    def test_lists_the_files_that_have_no_place_yet(self, first: Any, expected: dict[str, Any]) -> None:
        listed = {remark["file"].removesuffix(".csv.gz"): remark["rows"] for remark in first.remarks}

        assert listed == {name: expected["rows"][name] for name in ("assessment", "student_assessment", "vle")}

    def test_brings_as_many_results_as_the_university_counted(self, first: Any, expected: dict[str, Any]) -> None:
        results = Counter(Enrollment.objects.values_list("result", flat=True))

        assert {result.capitalize(): number for result, number in results.items()} == expected["final_result"]

    def test_brings_as_many_registrations_per_presentation(self, first: Any, expected: dict[str, Any]) -> None:
        rows = Section.objects.annotate(number=Count("enrollments")).values_list("course__code", "term__code", "number")

        assert {f"{course}-{term}": number for course, term, number in rows} == expected["per_presentation"]

    def test_knows_when_students_left(self, first: Any, expected: dict[str, Any]) -> None:
        assumed = ImportRow.objects.filter(
            job=first, resource="enrollments", notes__contains=[{"code": "assumed_date"}]
        )

        left = Enrollment.objects.filter(status="withdrawn", dropped_at__isnull=False).count()
        assert left - assumed.count() == expected["unregistered"]

    def test_fills_sections_to_the_last_seat_and_no_further(self, first: Any) -> None:
        for section in Section.objects.all():
            seated = Enrollment.objects.filter(section=section).seated().count()
            assert section.enrolled_count == seated <= section.capacity
            assert section.override_seats == 0

    def test_keeps_what_the_source_says_beyond_our_own_fields(self, first: Any) -> None:
        student = Student.objects.get(student_no="11391")

        assert student.custom_data == {
            "region": "East Anglian Region",
            "highest_education": "HE Qualification",
            "imd_band": "90-100%",
            "age_band": "55<=",
            "disability": False,
        }
        assert CustomField.objects.filter(entity_type="students.student").count() == 5

    def test_keeps_the_names_by_which_the_source_knows_its_rows(self, first: Any, expected: dict[str, Any]) -> None:
        names = Counter(ExternalIdentifier.objects.filter(scheme="oulad").values_list("entity_type", flat=True))

        assert names["students.student"] == expected["distinct_students"]
        assert names["courses.section"] == len(expected["per_presentation"])

    def test_counts_from_the_first_day_of_the_presentation(self, first: Any) -> None:
        enrollment = Enrollment.objects.get(student__student_no="30268")

        assert enrollment.enrolled_at.date().isoformat() == "2013-07-01"
        assert enrollment.dropped_at.date().isoformat() == "2013-10-13"
        assert (enrollment.status, enrollment.result, enrollment.attempt_no) == ("withdrawn", "withdrawn", 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_over_http_a_second_run_changes_nothing_and_taking_the_first_back_leaves_nothing(
    *,
    tmp_path: Any,
    by_command: Any,
    expected: dict[str, Any],
    registrar: Any,
    registrar_client: Any,
    work: Callable[[], int],
) -> None:
    """The second comes as a ZIP of the files as the dataset itself names them; a third creates all of it."""
    archive = tmp_path / "oulad.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for ours, theirs in (
            ("course", "courses"), ("student", "studentInfo"), ("student_registration", "studentRegistration"),
        ):  # fmt: skip
            with gzip.open(FOLDER / f"{ours}.csv.gz") as source, packed.open(f"oulad/{theirs}.csv", "w") as copy:
                shutil.copyfileobj(source, copy)
    between = dump()

    second = over_http.imported(registrar_client, work, "oulad", archive.name, archive.read_bytes())

    assert dump() == between
    counts, created = second["counts"], services.summary(by_command.job)["created"]
    assert (counts["created"], counts["updated"], counts["rejected"]) == (0, 0, 0)
    assert (second["state"], counts["unchanged"]) == ("applied", created)
    first = over_http.taken_back(registrar_client, work, by_command.job.pk)
    assert (first["state"], first["reversal"]["deleted"]) == ("reverted", created)
    assert over_http.without(registrar, dump()) == by_command.before
    assert Course.objects.count() == 0

    third = over_http.imported(registrar_client, work, "oulad", archive.name, archive.read_bytes(), force=True)

    made = {resource: counts["created"] for resource, counts in third["counts"]["by_type"].items()}
    assert (third["state"], third["counts"]["rejected"]) == ("applied", 0)
    assert made["students"] == Student.objects.count() == expected["distinct_students"]
    assert made["enrollments"] == Enrollment.objects.count() == expected["rows"]["student_registration"]
    assert made["sections"] == Section.objects.count() == len(expected["per_presentation"])
    results = Counter(Enrollment.objects.values_list("result", flat=True))
    assert {result.capitalize(): number for result, number in results.items()} == expected["final_result"]
    told = over_http.reported(registrar_client, third["id"])
    assert {resource: told[resource, "created"] for resource in made} == made
