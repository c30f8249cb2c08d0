"""`manage.py import_data`: what it does, what it prints and how it refuses."""

import csv
import json
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from departments.models import Department
from interop import services
from interop.models import ImportJob
from tests.courses.factories import SectionFactory
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
CSV = "code,name,is_active\nPHY,Physics,yes\nCHE,Chemistry,perhaps\n"


@pytest.fixture
def file(tmp_path):
    place = tmp_path / "departments.csv"
    place.write_text(CSV)
    return place


def run(*arguments):
    out = StringIO()
    call_command("import_data", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_it_imports_what_is_sound_and_says_what_is_not(file):
    printed = run("departments", file)

    assert list(Department.objects.values_list("code", flat=True)) == ["PHY"]
    assert [line.split() for line in printed.splitlines() if line.startswith(("departments", "total"))] == [
        ["departments", "1", "0", "0", "1"],
        ["total", "1", "0", "0", "1"],
    ]
    assert "departments.csv, row 3, is_active: [invalid_format]" in printed
    assert str(ImportJob.objects.get().pk) in printed


def test_json_is_all_that_it_prints_when_asked_for(file):
    printed = json.loads(run("departments", file, "--json"))

    assert list(printed) == [
        "kind", "created", "updated", "unchanged", "rejected", "rows", "seconds", "peak_mb", "by_type",
    ]  # fmt: skip
    assert printed["by_type"] == {"departments": {"created": 1, "updated": 0, "unchanged": 0, "rejected": 1}}
    assert (printed["kind"], printed["created"], printed["rows"]) == ("departments", 1, 2)


def test_what_taking_back_did_is_what_it_prints(file):
    DepartmentFactory(code="CHE", name="Alchemy")
    file.write_text(CSV.replace("perhaps", "yes"))
    run("departments", file)

    printed = json.loads(run("--revert", ImportJob.objects.get().pk, "--json"))

    assert list(printed) == [
        "kind", "created", "updated", "unchanged", "rejected", "deleted", "rows", "seconds", "peak_mb", "by_type",
    ]  # fmt: skip
    assert printed["by_type"] == {
        "departments": {"created": 0, "updated": 1, "unchanged": 0, "rejected": 0, "deleted": 1}
    }
    assert (printed["updated"], printed["deleted"], printed["rows"]) == (1, 1, 2)


def test_taking_back_that_broke_off_is_resumed(file):
    run("departments", file)
    services.request_reversal(ImportJob.objects.get(), by=None)

    printed = run("--resume", ImportJob.objects.get().pk)

    assert "reverted" in printed
    assert not Department.objects.exists()


def test_a_second_run_changes_nothing(file):
    run("departments", file)

    printed = json.loads(run("departments", file, "--json"))

    assert (printed["created"], printed["updated"], printed["unchanged"]) == (0, 0, 1)


def test_a_dry_run_writes_nothing_until_it_is_resumed(file):
    printed = run("departments", file, "--dry-run")
    assert "Nothing was written." in printed
    assert not Department.objects.exists()

    run("--resume", ImportJob.objects.get().pk)

    assert Department.objects.count() == 1


def test_an_import_is_taken_back(file):
    run("departments", file)

    run("--revert", ImportJob.objects.get().pk)

    assert not Department.objects.exists()


def test_what_stands_in_the_way_of_taking_back_is_named(file):
    run("departments", file)
    DepartmentFactory(parent=Department.objects.get(code="PHY"))
    out = StringIO()

    with pytest.raises(CommandError, match=r"\[in_use\].*departments PHY"):
        call_command("import_data", "--revert", str(ImportJob.objects.get().pk), "--json", stdout=out)

    (error,) = json.loads(out.getvalue())["error"]["errors"]
    assert [(row["resource"], row["natural_key"]) for row in error["meta"]["rows"]] == [("departments", "PHY")]


def test_columns_are_mapped(tmp_path):
    file = tmp_path / "d.csv"
    file.write_text("Kürzel;Bezeichnung\nPHY;Physik\n")

    run("departments", file, "--mapping", "code=Kürzel", "--mapping", "name=Bezeichnung")

    assert Department.objects.get().name == "Physik"


def test_what_was_edited_by_hand_stays_unless_it_is_to_be_overwritten(file):
    run("departments", file)
    Department.objects.update(name="Natural philosophy")
    file.write_text(CSV.replace("Physics", "Physics and astronomy"))

    run("departments", file)
    assert Department.objects.get().name == "Natural philosophy"

    run("departments", file, "--overwrite-edited")
    assert Department.objects.get().name == "Physics and astronomy"


def test_the_report_has_every_row(file, tmp_path):
    report = tmp_path / "report.csv"

    run("departments", file, "--report", report)

    with report.open(encoding="utf-8-sig", newline="") as stream:
        assert [(line["key"], line["outcome"]) for line in csv.DictReader(stream)] == [
            ("PHY", "created"), ("CHE", "rejected"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "empty_file"), ("name\nPhysics\n", "missing_column"), ("code,Code\nPHY,PHY\n", "duplicate_header")],
)
def test_a_file_that_is_refused_fails_the_command(file, content, code):
    file.write_text(content)
    out = StringIO()

    with pytest.raises(CommandError, match=rf"departments\.csv.*\[{code}\]"):
        call_command("import_data", "departments", str(file), "--json", stdout=out)

    assert json.loads(out.getvalue())["error"]["code"] == code
    assert not Department.objects.exists()


def test_a_file_of_which_every_row_is_refused_fails_the_command(file):
    file.write_text("code,name,is_active\nPHY,Physics,perhaps\nCHE,Chemistry,perhaps\n")
    out = StringIO()

    with pytest.raises(CommandError, match=r"\[all_rows_rejected\]"):
        call_command("import_data", "departments", str(file), "--json", stdout=out)

    printed = json.loads(out.getvalue())
    assert printed["error"]["code"] == "all_rows_rejected"
    assert (printed["created"], printed["rejected"], printed["rows"]) == (0, 2, 2)
    with pytest.raises(CommandError):
        call_command("import_data", "--resume", str(ImportJob.objects.get().pk), stdout=out)
    assert "departments.csv, row 3, is_active: [invalid_format]" in out.getvalue()


def test_a_path_that_is_not_there_fails_the_command(tmp_path):
    with pytest.raises(CommandError, match=r"\[missing_file\] There is no such file"):
        run("departments", tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "arguments",
    [[], ["departments"], ["--resume", uuid4(), "--revert", uuid4()], ["--resume", uuid4()], ["spells", "x.csv"]],
)
def test_arguments_that_make_no_sense_are_refused(arguments):
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.parametrize(("capacity", "over"), [(2, None), (0, 2)])
def test_enrolments_over_capacity_are_counted_where_there_are_any(tmp_path, capacity, over):
    section = SectionFactory(code="01", capacity=capacity, term__state="closed")
    table = tmp_path / "enrollments.csv"
    lines = [f"{StudentFactory().student_no},{section.course.code},01,{section.term.code}" for _ in range(2)]
    table.write_text("\n".join(["student_no,course_code,section_code,term", *lines]))

    printed = json.loads(run("enrollments", table, "--json"))

    assert (printed["created"], printed.get("over_capacity")) == (2, over)


def test_enrolments_of_running_terms_are_recorded_over_capacity_when_asked_for(tmp_path):
    section = SectionFactory(code="01", capacity=0)
    table = tmp_path / "enrollments.csv"
    row = f"{StudentFactory().student_no},{section.course.code},01,{section.term.code}"
    table.write_text(f"student_no,course_code,section_code,term\n{row}\n")
    with pytest.raises(CommandError):
        run("enrollments", table)

    assert "1 enrolments are over the capacity" in run("enrollments", table, "--beyond-capacity")
