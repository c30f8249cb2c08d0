"""A OneRoster package that breaks a rule is refused whole, with file, row and field for every fault."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import DomainError
from tests.interop.packages import package, read, school, user, written

TOO_LONG = "x" * 256


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "package.zip"


def faults(path: Path) -> list[tuple[str, int | None, str | None]]:
    """Return file, row and field of everything that a package is refused for."""
    with pytest.raises(DomainError) as refusal:
        read(path)
    found = list(refusal.value.violations)
    assert {error.error_code for error in found} == {"oneroster_invalid"}
    return [(error.meta["file"], error.meta.get("row"), error.meta.get("field")) for error in found]


def test_a_sound_package_is_read(place: Path) -> None:
    records = read(package(place, school()))

    assert [record.resource for record in records] == [
        "departments", "academic-years", "terms", "courses", "faculty", "students", "sections", "enrollments",
    ]  # fmt: skip
    assert not any(record.faults for record in records)


# --- the manifest and the files beside it ---


def test_a_package_needs_a_manifest(place: Path) -> None:
    assert faults(package(place, school(), files={"manifest.csv": None})) == [("manifest.csv", None, None)]


@pytest.mark.parametrize("name", ["manifest.version", "oneroster.version"])
@pytest.mark.parametrize("version", ["1.1", "", None])
def test_another_version_is_refused(place: Path, name: str, version: str | None) -> None:
    assert faults(package(place, school(), manifest={name: version})) == [("manifest.csv", None, name)]


@pytest.mark.parametrize("mode", ["full", "", None])
def test_a_manifest_says_of_every_file_how_it_comes(place: Path, mode: str | None) -> None:
    found = faults(package(place, school(), manifest={"file.results": mode}))

    assert found == [("manifest.csv", None, "file.results")]


def test_an_unknown_property_is_refused(place: Path) -> None:
    ((file, row, field),) = faults(package(place, school(), manifest={"file.grades": "absent"}))

    assert (file, field) == ("manifest.csv", "file.grades")
    assert row is not None


def test_a_manifest_names_a_property_once(place: Path) -> None:
    path = package(place, school())
    with zipfile.ZipFile(path) as packed:
        manifest = packed.read("manifest.csv").decode() + "file.orgs,bulk\n"

    ((file, _, field),) = faults(package(place, school(), files={"manifest.csv": manifest}))

    assert (file, field) == ("manifest.csv", "file.orgs")


def test_another_header_of_the_manifest_is_refused(place: Path) -> None:
    assert faults(package(place, school(), files={"manifest.csv": "name,value\n"})) == [("manifest.csv", 1, None)]


def test_an_announced_file_has_to_be_there(place: Path) -> None:
    assert faults(package(place, school(), files={"users.csv": None})) == [("users.csv", None, None)]


def test_a_file_that_is_there_has_to_be_announced(place: Path) -> None:
    found = faults(package(place, school(), files={"results.csv": written("results", [], "bulk")}))

    assert found == [("results.csv", None, None)]


def test_a_file_that_oneroster_does_not_know_is_refused(place: Path) -> None:
    assert faults(package(place, school(), files={"grades.csv": "a,b\n"})) == [("grades.csv", None, None)]


# --- headers ---


def changed_header(name: str, change: Any) -> str:
    header, *rest = written(name, school()[name], "bulk").splitlines()
    return "\n".join([",".join(change(header.split(","))), *rest])


def test_a_missing_column_is_named(place: Path) -> None:
    orgs = changed_header("orgs", lambda columns: [*columns[:-1], "parent"])

    found = faults(package(place, school(), files={"orgs.csv": orgs}))

    assert ("orgs.csv", 1, "parentSourcedId") in found


def test_columns_out_of_order_are_named(place: Path) -> None:
    orgs = changed_header("orgs", lambda columns: [*columns[:3], columns[4], columns[3], *columns[5:]])

    found = faults(package(place, school(), files={"orgs.csv": orgs}))

    assert {field for file, row, field in found if row == 1} == {"name", "type"}


def test_columns_are_written_exactly(place: Path) -> None:
    orgs = changed_header("orgs", lambda columns: ["sourcedid", *columns[1:]])

    assert ("orgs.csv", 1, "sourcedId") in faults(package(place, school(), files={"orgs.csv": orgs}))


def test_further_columns_are_metadata(place: Path) -> None:
    rows = written("orgs", school()["orgs"], "bulk").splitlines()
    allowed = "\n".join([f"{rows[0]},metadata.colour", f"{rows[1]},blue"])
    strange = "\n".join([f"{rows[0]},colour", f"{rows[1]},blue"])

    assert read(package(place, school(), files={"orgs.csv": allowed}))
    assert faults(package(place, school(), files={"orgs.csv": strange}))[0] == ("orgs.csv", 1, "colour")


# --- cells ---


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("orgs", "sourcedId", ""),
        ("orgs", "sourcedId", "not allowed"),
        ("orgs", "sourcedId", TOO_LONG),
        ("orgs", "name", ""),
        ("orgs", "type", "college"),
        ("orgs", "type", "ext:"),
        ("academicSessions", "startDate", "01/08/2024"),
        ("academicSessions", "startDate", "2024-02-30"),
        ("academicSessions", "endDate", ""),
        ("academicSessions", "schoolYear", "24"),
        ("courses", "orgSourcedId", ""),
        ("classes", "classType", "evening"),
        ("classes", "termSourcedIds", "term-1,"),
        ("classes", "termSourcedIds", ""),
        ("users", "enabledUser", "yes"),
        ("users", "enabledUser", ""),
        ("users", "username", ""),
        ("users", "givenName", ""),
        ("users", "userIds", "plain"),
        ("roles", "roleType", "ext:tertiary"),
        ("roles", "role", "pupil"),
        ("enrollments", "role", "guardian"),
        ("enrollments", "primary", "1"),
        ("enrollments", "beginDate", "soon"),
    ],
)
def test_a_cell_that_breaks_its_rule_is_named(place: Path, file: str, field: str, value: str) -> None:
    rows = school()
    rows[file][-1][field] = value

    assert (f"{file}.csv", len(rows[file]) + 1, field) in faults(package(place, rows))


@pytest.mark.parametrize(("file", "field"), [("orgs", "type"), ("academicSessions", "type"), ("enrollments", "role")])
def test_vocabularies_may_be_extended(place: Path, file: str, field: str) -> None:
    rows = school()
    rows[file].append({**rows[file][-1], "sourcedId": "one-more", field: "ext:special"})

    assert read(package(place, rows))


@pytest.mark.parametrize("field", ["status", "dateLastModified"])
def test_a_bulk_row_has_no_lifecycle(place: Path, field: str) -> None:
    rows = school()
    rows["users"][0][field] = {"status": "active", "dateLastModified": "2025-01-02T03:04:05.006Z"}[field]

    assert faults(package(place, rows)) == [("users.csv", 2, field)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", ""), ("status", "inactive"), ("dateLastModified", ""), ("dateLastModified", "2025-01-02")],
)
def test_a_delta_row_says_what_changed_and_when(place: Path, field: str, value: str) -> None:
    rows = school()
    rows["users"][1][field] = value

    assert faults(package(place, rows, mode="delta")) == [("users.csv", 3, field)]


def test_an_id_occurs_once_in_its_file(place: Path) -> None:
    rows = school()
    rows["users"].append(user("student"))

    assert faults(package(place, rows)) == [("users.csv", 4, "sourcedId")]


def test_a_session_ends_after_it_starts(place: Path) -> None:
    rows = school()
    rows["academicSessions"][1]["endDate"] = "2124-08-01"

    assert faults(package(place, rows)) == [("academicSessions.csv", 3, "endDate")]


def test_each_subject_has_a_code(place: Path) -> None:
    rows = school()
    rows["courses"][0] |= {"subjects": "Maths,Logic", "subjectCodes": "MATH"}

    assert faults(package(place, rows)) == [("courses.csv", 2, "subjectCodes")]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"one,two", b'"a"b'])
def test_a_row_that_cannot_be_read_is_named(place: Path, line: bytes) -> None:
    users = written("users", school()["users"], "bulk").encode() + line + b"\n"

    assert ("users.csv", 4, None) in faults(package(place, school(), files={"users.csv": users}))


def test_a_file_that_cannot_be_read_is_named(place: Path) -> None:
    assert ("users.csv", None, None) in faults(package(place, school(), files={"users.csv": b""}))
    assert faults(package(place, school(), files={"manifest.csv": b"\xff"})) == [("manifest.csv", 1, None)]


# --- references ---


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("orgs", "parentSourcedId"),
        ("academicSessions", "parentSourcedId"),
        ("courses", "orgSourcedId"),
        ("courses", "schoolYearSourcedId"),
        ("classes", "courseSourcedId"),
        ("classes", "schoolSourcedId"),
        ("classes", "termSourcedIds"),
        ("users", "primaryOrgSourcedId"),
        ("users", "agentSourcedIds"),
        ("roles", "userSourcedId"),
        ("enrollments", "classSourcedId"),
        ("enrollments", "userSourcedId"),
    ],
)
def test_a_bulk_reference_leads_to_a_row_of_the_package(place: Path, file: str, field: str) -> None:
    rows = school()
    rows[file][-1][field] = "nowhere"

    assert (f"{file}.csv", len(rows[file]) + 1, field) in faults(package(place, rows))


def test_demographics_are_of_a_user(place: Path) -> None:
    rows = {**school(), "demographics": [{"sourcedId": "nobody", "sex": "female"}]}

    assert faults(package(place, rows)) == [("demographics.csv", 2, "sourcedId")]


def test_every_fault_is_reported_at_once(place: Path) -> None:
    rows = school()
    rows["orgs"][0]["type"] = "college"
    rows["users"][0]["enabledUser"] = "yes"
    rows["enrollments"][1]["classSourcedId"] = "nowhere"

    assert faults(package(place, rows)) == [
        ("orgs.csv", 2, "type"),
        ("users.csv", 2, "enabledUser"),
        ("enrollments.csv", 3, "classSourcedId"),
    ]
