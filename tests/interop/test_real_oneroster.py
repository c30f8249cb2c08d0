"""Nine valid OneRoster packages: each is imported whole, by itself and one after the other."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from courses.models import Section
from departments.models import Department
from faculty.models import Faculty
from interop import services
from interop.models import ExternalIdentifier, ImportJob
from interop.sources.oneroster.spec import STORED
from tests.interop import over_http
from tests.interop.data import DATA, dump, needs

pytestmark = [needs("oneroster12_valid"), pytest.mark.django_db]

FOLDER = DATA / "oneroster12_valid"
CONTENTS = ("full", "gradebook", "resources", "rostering")
NAMES = [f"{content}-{mode}-package" for content in CONTENTS for mode in ("bulk", "delta")]


def imported(path: Path) -> Any:
    """Import a package by the command, which prints one line that says what the job says."""
    out = StringIO()
    call_command("import_data", "oneroster", str(path), "--json", stdout=out)
    job = ImportJob.objects.latest("created_at")
    assert json.loads(out.getvalue()) == services.summary(job)
    return job


@pytest.mark.parametrize("name", [*NAMES, "manifest-only-package"])
def test_a_package_is_imported_whole_and_taken_back_whole_over_http(
    registrar_client: Any, work: Callable[[], int], name: str
) -> None:
    before = dump()

    shown = over_http.imported(
        registrar_client, work, "oneroster", f"{name}.zip", (FOLDER / f"{name}.zip").read_bytes()
    )

    created = 0 if name == "manifest-only-package" else 8
    assert (shown["state"], shown["counts"]["created"], shown["counts"]["rejected"]) == ("applied", created, 0)
    back = over_http.taken_back(registrar_client, work, shown["id"])
    assert (back["state"], back["reversal"]["deleted"]) == ("reverted", created)
    assert dump() == before


def test_packages_after_each_other_find_their_rows_again() -> None:
    imported(FOLDER / "full-bulk-package.zip")
    between = dump()

    for name in NAMES[1:]:
        found = services.summary(imported(FOLDER / f"{name}.zip"))
        assert (found["created"], found["updated"], found["rejected"]) == (0, 0, 0), name

    assert dump() == between


def test_rows_become_what_they_are_here() -> None:
    imported(FOLDER / "full-bulk-package.zip")

    school = Department.objects.get(code="org-1")
    assert (school.name, school.kind, school.parent.name) == ("North School", "school", "District")
    section = Section.objects.get(code="A1")
    assert (section.course.code, section.term.code, section.term.academic_year.code) == ("ALG1", "as-1", "as-parent")
    (instructor,) = section.section_instructors.all()
    assert (instructor.role, instructor.share, instructor.faculty.employee_no) == ("primary", 100, "user-1")
    teacher = Faculty.objects.get(employee_no="user-1")
    assert (teacher.person.first_name, teacher.person.gender, teacher.department) == ("Given", "female", school)


def test_source_ids_are_kept() -> None:
    imported(FOLDER / "full-bulk-package.zip")

    kept = ExternalIdentifier.objects.filter(scheme="oneroster").values_list("entity_type", "value")
    assert sorted(kept) == [
        ("courses.course", "course-1"),
        ("courses.section", "class-1"),
        ("departments.academicyear", "as-parent"),
        ("departments.department", "org-1"),
        ("departments.department", "org-root"),
        ("departments.term", "as-1"),
        ("faculty.faculty", "user-1"),
        ("faculty.faculty", "user-agent"),
    ]


def test_files_without_a_place_are_counted() -> None:
    job = imported(FOLDER / "full-bulk-package.zip")

    not_stored = {
        remark["file"].removesuffix(".csv"): remark["rows"] for remark in job.remarks if remark["code"] == "not_stored"
    }
    assert not_stored.keys().isdisjoint(STORED)
    assert not_stored["results"] == not_stored["lineItems"] == not_stored["userProfiles"] == 1
    assert job.rows_read == 25
