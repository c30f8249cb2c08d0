"""What a valid OneRoster package says, in our words.

orgs are departments; a schoolYear session is an academic year, every other one that is a term or
that a class takes place in is a term; classes are sections; a user is a student, a member of
faculty or both, by role and by enrolment. Rows are found again by `sourcedId` whatever else has
changed about them. A bulk file is the state of the world, but what it lacks is reported, not
deleted: a file that was cut short must not empty the records. A delta row `tobedeleted` retires
its row (inactive, withdrawn, cancelled, dropped) and deletes nothing either.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interop.faults import Fault
from interop.sources.oneroster.directory import Directory
from interop.sources.oneroster.package import Package
from interop.sources.oneroster.people import people
from interop.sources.oneroster.rows import Reading, Row, code_of, notes_on, to
from interop.sources.oneroster.spec import STORED
from interop.sources.oneroster.teaching import Teaching
from interop.sources.ordering import parents_first
from interop.sources.records import Record, Remark, compose, ignored

ORG_KINDS = {
    "national": "institution",
    "state": "institution",
    "local": "institution",
    "district": "institution",
    "school": "school",
    "department": "department",
}
CODE_LENGTH = 64
SESSION_CODE_LENGTH = 32


class OneRoster:
    """An opened package; reading it checks it first, and raises everything that is wrong with it."""

    def __init__(self, package: Package, directory: Directory) -> None:
        self._reading = Reading(package, directory)
        self.rows_expected = package.rows_expected()

    @property
    def rows_read(self) -> Counter[str]:
        return self._reading.rows_read

    @property
    def remarks(self) -> list[Remark]:
        return self._reading.remarks

    def records(self) -> Iterator[Record]:
        """Yield departments, years, terms, courses, faculty, students, sections and enrolments."""
        reading = self._reading
        reading.package.check(reading.directory.known)
        self._count()
        teaching = Teaching(reading)
        yield from self._departments()
        yield from self._sessions()
        yield from teaching.courses()
        yield from people(reading)
        yield from teaching.sections()
        yield from teaching.enrollments()

    def _count(self) -> None:
        """Count the rows of every file, and say which are not stored and which are missing."""
        for name, mode in self._reading.package.modes.items():
            ids = {row.sourced_id for row in self._reading.rows(name)}
            self.rows_read[f"{name}.csv"] = len(ids)
            self.remarks.extend(ignored(self._reading.package.ignored[name], f"{name}.csv"))
            if name not in STORED:
                detail = "The rows are valid; there is no place for them here, so they were not stored."
                self._reading.remark("not_stored", detail, name, len(ids))
            elif mode == "bulk":
                detail = "Earlier packages brought rows that this one lacks; nothing was deleted."
                self._reading.remark("absent_in_bulk", detail, name, self._reading.directory.absent(name, ids))

    def _departments(self) -> Iterator[Record]:
        rows = {row.sourced_id: row for row in self._reading.rows("orgs")}
        for row in parents_first(rows.values(), rows.keys(), lambda row: (row.sourced_id, row["parentSourcedId"])):
            code = code_of(row.sourced_id, CODE_LENGTH)
            values: dict[str, Any] = {
                "name": row["name"],
                "kind": ORG_KINDS.get(row["type"], "department"),
                "parent": to(row["parentSourcedId"]) if row["parentSourcedId"] else None,
                "is_active": True,
            }
            if row.is_deleted:
                values = {"is_active": False}
            notes = notes_on(code, row.sourced_id)
            yield row.record("departments", compose(code), values, initial={"code": code}, notes=notes)

    def _sessions(self) -> Iterator[Record]:
        rows = {row.sourced_id: row for row in self._reading.rows("academicSessions")}
        taught = {session for row in self._reading.rows("classes") for session in row["termSourcedIds"].split(",")}
        years = [pk for pk, row in rows.items() if row["type"] == "schoolYear"]
        terms = [pk for pk, row in rows.items() if row["type"] in ("term", "semester") or pk in taught]
        for sourced_id in years:
            yield _session("academic-years", rows[sourced_id], {})
        year_of = self._years_of(terms, rows)
        yield from _years_by_number(rows[pk] for pk in terms if not year_of[pk] and not rows[pk].is_deleted)
        for sourced_id in terms:
            row, year = rows[sourced_id], year_of[sourced_id]
            record = _session("terms", row, {"academic_year": to(year)} if year else {})
            if not year:
                record.initial["academic_year"] = compose(row["schoolYear"])
            yield record
        detail = "Grading periods in which no class takes place have no place here."
        self._reading.remark("not_stored", detail, "academicSessions", len(rows.keys() - {*years, *terms}))

    def _years_of(self, terms: Iterable[str], rows: Mapping[str, Row]) -> dict[str, str]:
        """Return the schoolYear session that each term is or lies below; "" where nobody says which."""
        tops = {pk: _top_of(pk, rows) for pk in terms}
        known = self._reading.directory.years({top for top in tops.values() if top not in rows})
        return {
            pk: top if top in known or (top in rows and rows[top]["type"] == "schoolYear") else ""
            for pk, top in tops.items()
        }


def _session(resource: str, row: Row, more: Mapping[str, Any]) -> Record:
    code = code_of(row.sourced_id, SESSION_CODE_LENGTH)
    values = {
        "name": row["title"],
        "starts_on": row["startDate"],
        "ends_on": row["endDate"],
        **more,
    }
    notes = notes_on(code, row.sourced_id)
    record = row.record(resource, compose(code), {} if row.is_deleted else values, initial={"code": code}, notes=notes)
    if row.is_deleted:
        record.notes.append(Fault("kept", "Years and terms are not deleted; the row stays as it is."))
    return record


def _years_by_number(terms: Iterable[Row]) -> Iterator[Record]:
    """Yield the years of terms of which nobody says in which they lie; how long they are, their terms say."""
    of_year: defaultdict[str, list[Row]] = defaultdict(list)
    for row in terms:
        of_year[row["schoolYear"]].append(row)
    for code, rows in sorted(of_year.items()):
        # A school year is called by the year it ends in.
        first = min([f"{int(code) - 1:04}-07-01", *(row["startDate"] for row in rows)])
        last = max([f"{code}-06-30", *(row["endDate"] for row in rows)])
        initial = {"name": code, "starts_on": first, "ends_on": last}
        row = rows[-1]
        yield Record("academic-years", code, {"code": code}, f"{row.name}.csv", row.number, row.raw, initial)


def _top_of(sourced_id: str, rows: Mapping[str, Row]) -> str:
    """Return the schoolYear session above a session, or else the last one above it that anybody names."""
    seen: set[str] = set()
    current = sourced_id
    while current in rows and current not in seen and rows[current]["type"] != "schoolYear":
        seen.add(current)
        if not rows[current]["parentSourcedId"]:
            break
        current = rows[current]["parentSourcedId"]
    return current
