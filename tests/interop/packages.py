"""Small OneRoster packages to be made, broken and read."""

import csv
import io
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from interop.reading.filesets import open_fileset
from interop.sources.oneroster.directory import Directory
from interop.sources.oneroster.package import Package
from interop.sources.oneroster.source import OneRoster
from interop.sources.oneroster.spec import FILES, header_of
from interop.sources.records import Record

Rows = Sequence[Mapping[str, str]]

SCHOOL = {"sourcedId": "org-1", "name": "North School", "type": "school"}
YEAR = {
    "sourcedId": "year-1", "title": "2124/25", "type": "schoolYear", "startDate": "2124-08-01",
    "endDate": "2125-06-30", "schoolYear": "2125",
}  # fmt: skip
TERM = {
    "sourcedId": "term-1", "title": "Fall", "type": "term", "startDate": "2124-08-01", "endDate": "2124-12-20",
    "parentSourcedId": "year-1", "schoolYear": "2125",
}  # fmt: skip
COURSE = {"sourcedId": "course-1", "title": "Algebra", "courseCode": "ALG1", "orgSourcedId": "org-1"}
CLASS = {
    "sourcedId": "class-1", "title": "Algebra A", "courseSourcedId": "course-1", "classCode": "A1",
    "classType": "scheduled", "schoolSourcedId": "org-1", "termSourcedIds": "term-1",
}  # fmt: skip


def user(sourced_id: str, **more: str) -> dict[str, str]:
    names = {"givenName": "Ada", "familyName": sourced_id.title(), "username": sourced_id, "enabledUser": "true"}
    return {"sourcedId": sourced_id, "primaryOrgSourcedId": "org-1", **names, **more}


def role(sourced_id: str, name: str) -> dict[str, str]:
    return {
        "sourcedId": f"role-{sourced_id}-{name}", "userSourcedId": sourced_id, "roleType": "primary", "role": name,
        "orgSourcedId": "org-1",
    }  # fmt: skip


def enrollment(sourced_id: str, name: str, **more: str) -> dict[str, str]:
    return {
        "sourcedId": f"enr-{sourced_id}", "classSourcedId": "class-1", "schoolSourcedId": "org-1",
        "userSourcedId": sourced_id, "role": name, **more,
    }  # fmt: skip


def school() -> dict[str, list[dict[str, str]]]:
    """Return a school with a class, a teacher and a student in it."""
    return {
        "orgs": [dict(SCHOOL)],
        "academicSessions": [dict(YEAR), dict(TERM)],
        "courses": [dict(COURSE)],
        "classes": [dict(CLASS)],
        "users": [user("teacher"), user("student")],
        "roles": [role("teacher", "teacher"), role("student", "student")],
        "enrollments": [enrollment("teacher", "teacher", primary="true"), enrollment("student", "student")],
    }


def written(name: str, rows: Rows, mode: str) -> str:
    lifecycle = {"status": "active", "dateLastModified": "2025-01-02T03:04:05.006Z"} if mode == "delta" else {}
    table = io.StringIO()
    writer = csv.DictWriter(table, header_of(name), restval="")
    writer.writeheader()
    writer.writerows({**lifecycle, **row} for row in rows)
    return table.getvalue()


def package(
    path: Path,
    rows: Mapping[str, Rows],
    *,
    mode: str = "bulk",
    manifest: Mapping[str, str | None] | None = None,
    files: Mapping[str, str | bytes | None] | None = None,
) -> Path:
    """Write a package of `rows`; `manifest` and `files` replace parts of it, None leaves one out."""
    properties: dict[str, str | None] = {"manifest.version": "1.0", "oneroster.version": "1.2"}
    properties |= {f"file.{name}": mode if name in rows else "absent" for name in FILES}
    properties |= dict(manifest or {})
    lines = [f"{name},{value}" for name, value in properties.items() if value is not None]
    content: dict[str, str | bytes | None] = {"manifest.csv": "\n".join(["propertyName,value", *lines, ""])}
    content |= {f"{name}.csv": written(name, of_file, mode) for name, of_file in rows.items()}
    content |= dict(files or {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in content.items():
            if text is not None:
                packed.writestr(name, text)
    return path


class NoDirectory:
    """Knows nothing: for packages that stand alone."""

    def known(self, file: str, ids: Iterable[str]) -> set[str]:
        return set()

    def years(self, ids: Iterable[str]) -> set[str]:
        return set()

    def absent(self, file: str, ids: Collection[str]) -> int:
        return 0

    def parts(self, user_ids: Iterable[str]) -> dict[str, set[str]]:
        return {}

    def instructors(self, class_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        return {}


def read(path: Path, directory: Directory | None = None) -> list[Record]:
    """Return what a package says, or raise what is wrong with it."""
    with open_fileset(path, path.name, packed_entries=()) as files:
        return list(OneRoster(Package(files), directory or NoDirectory()).records())
