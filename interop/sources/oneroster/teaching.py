"""The courses, classes and enrolments of a OneRoster package."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from interop.faults import Fault
from interop.sources.oneroster.rows import Reading, Row, code_of, named, notes_on, to
from interop.sources.records import Record, compose

STUDENT, TEACHER = "student", "teacher"
CODE_LENGTH = 64
SESSION_CODE_LENGTH = 32


class Teaching:
    """What a package teaches, to whom and by whom."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._course_codes: dict[str, str] = {}

    def courses(self) -> Iterator[Record]:
        """Yield the courses; those before their first section are of no credit, for OneRoster knows none."""
        codes = Counter(row["courseCode"] for row in self._reading.rows("courses") if row["courseCode"])
        for row in self._reading.rows("courses"):
            is_unique = codes[row["courseCode"]] == 1
            given = row["courseCode"] if is_unique else row.sourced_id
            code = code_of(given, CODE_LENGTH)
            self._course_codes[row.sourced_id] = code
            values: dict[str, Any] = {
                "title": row["title"],
                "department": to(row["orgSourcedId"]),
                "is_active": True,
            }
            if row.is_deleted:
                values = {"is_active": False}
            initial = {"code": code, "credits": "0"}
            yield row.record("courses", compose(code), values, initial=initial, notes=notes_on(code, given))

    def sections(self) -> Iterator[Record]:
        """Yield the sections with their instructors, also of classes that the package does not name otherwise."""
        instructors = self._instructors()
        codes = Counter(_place(row) for row in self._reading.rows("classes") if row["classCode"])
        for row in self._reading.rows("classes"):
            sessions = row["termSourcedIds"].split(",")
            is_unique = row["classCode"] and codes[_place(row)] == 1
            given = row["classCode"] if is_unique else row.sourced_id
            code = code_of(given, CODE_LENGTH)
            values: dict[str, Any] = {"course": to(row["courseSourcedId"]), "term": to(sessions[0])}
            if row.sourced_id in instructors:
                values["instructors"] = instructors.pop(row.sourced_id)
            if row.is_deleted:
                values = {"status": "cancelled"}
            course_code = self._course_codes.get(row["courseSourcedId"], row["courseSourcedId"])
            key = compose(code_of(sessions[0], SESSION_CODE_LENGTH), course_code, code)
            initial = {"code": code, "capacity": 0}
            record = row.record("sections", key, values, initial=initial, notes=notes_on(code, given))
            if len(sessions) > 1:
                record.notes.append(Fault("first_term", "The class takes place in several terms; the first was taken."))
            yield record
        for sourced_id, taught in instructors.items():
            row = Row("enrollments", 0, {"sourcedId": sourced_id, "status": ""})
            yield row.record("sections", named(sourced_id), {"instructors": taught})

    def enrollments(self) -> Iterator[Record]:
        """Yield the enrolments of students."""
        others = 0
        for row in self._reading.rows("enrollments"):
            if row["role"] != STUDENT:
                others += row["role"] != TEACHER
                continue
            references = {"student": to(row["userSourcedId"]), "section": to(row["classSourcedId"])}
            values: dict[str, Any] = {"status": "enrolled"}
            if row["beginDate"]:
                values["enrolled_at"] = f"{row['beginDate']}T00:00:00+00:00"
            if row.is_deleted:
                values = {"status": "dropped", "dropped_at": row["dateLastModified"]}
            key = compose(row["userSourcedId"], row["classSourcedId"])
            yield row.record("enrollments", key, values, initial=references)
        detail = "Enrolments of administrators and proctors have no place here."
        self._reading.remark("not_stored", detail, "enrollments", others)

    def _instructors(self) -> dict[str, list[dict[str, Any]]]:
        """Return who teaches each class that the package's enrolments speak of."""
        changes: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._reading.rows("enrollments"):
            if row["role"] == TEACHER:
                changes[row["classSourcedId"]].append(row)
        is_whole = self._reading.package.modes.get("enrollments") == "bulk"
        earlier = {} if is_whole else self._reading.directory.instructors(changes)
        return {class_id: _taught_by(earlier.get(class_id, []), rows) for class_id, rows in changes.items()}


def _place(row: Row) -> tuple[str, str, str]:
    return row["termSourcedIds"], row["courseSourcedId"], row["classCode"]


def _taught_by(earlier: Iterable[Mapping[str, str]], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the instructors of a class after the changes of a package, without shares: all carry the same."""
    changed = list(rows)
    spoken_of = {row["userSourcedId"] for row in changed}
    staying = [one for one in earlier if one["user"] not in spoken_of]
    coming = [row for row in changed if not row.is_deleted]
    primary = next((row["userSourcedId"] for row in coming if row["primary"] == "true"), None)
    taught: list[dict[str, Any]] = [
        {"faculty": compose(one["faculty"]), "role": "co" if primary and one["role"] == "primary" else one["role"]}
        for one in staying
    ]
    has_primary = any(one["role"] == "primary" for one in taught)
    for user in dict.fromkeys(row["userSourcedId"] for row in coming):
        is_primary = user == primary or (primary is None and not has_primary)
        has_primary = has_primary or is_primary
        taught.append({"faculty": to(user), "role": "primary" if is_primary else "co"})
    return taught
