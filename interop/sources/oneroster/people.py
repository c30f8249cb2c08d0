"""The users of a OneRoster package as students and faculty."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from interop.sources.oneroster.rows import Reading, Row, code_of, named, notes_on, said, to
from interop.sources.records import Record, compose

GENDERS = {"male": "male", "female": "female", "other": "other", "unspecified": "undisclosed"}
PART_OF_ROLE = {"student": "students", "teacher": "faculty"}
# Whoever is both is a member of faculty first, and the same person studies.
RESOURCES = ("faculty", "students")
NUMBER_LENGTH = 64


def people(reading: Reading) -> Iterator[Record]:
    """Yield the members of faculty and the students of a package, and what it says of others by itself."""
    parts, org_of = _parts(reading)
    users = {row.sourced_id: row for row in reading.rows("users")}
    demographics = {row.sourced_id: row for row in reading.rows("demographics")}
    identifiers = Counter(row["identifier"] for row in users.values() if row["identifier"])
    for resource in RESOURCES:
        for sourced_id, row in users.items():
            if resource in parts.get(sourced_id, ()):
                is_unique = identifiers[row["identifier"]] == 1
                record = _person(resource, row, row["identifier"] if is_unique else sourced_id, org_of)
                if not row.is_deleted:
                    record.values |= _demographic(demographics.get(sourced_id))
                if resource == "students" and len(parts[sourced_id]) > 1:
                    record.initial["same_person_as"] = to(sourced_id)
                yield record
    alone = {sourced_id: row for sourced_id, row in demographics.items() if sourced_id not in users}
    yield from _demographics_alone(alone, parts)
    detail = "Users who are neither student nor teacher have no place here."
    reading.remark("not_stored", detail, "users", sum(not parts.get(sourced_id) for sourced_id in users))


def _parts(reading: Reading) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Return what each user is, by role, by enrolment and from before; and the org of their first role."""
    parts: defaultdict[str, set[str]] = defaultdict(set)
    org_of: dict[str, str] = {}
    for name, org in (("roles", "orgSourcedId"), ("enrollments", "schoolSourcedId")):
        for row in reading.rows(name):
            user = row["userSourcedId"]
            if row["role"] in PART_OF_ROLE and not row.is_deleted:
                parts[user].add(PART_OF_ROLE[row["role"]])
            org_of.setdefault(user, row[org])
    ids = [row.sourced_id for name in ("users", "demographics") for row in reading.rows(name)]
    for sourced_id, known in reading.directory.parts(ids).items():
        parts[sourced_id] |= known
    return parts, org_of


def _person(resource: str, row: Row, identifier: str, org_of: Mapping[str, str]) -> Record:
    is_student = resource == "students"
    code = code_of(identifier, NUMBER_LENGTH)
    values: dict[str, Any] = {
        "first_name": row["givenName"],
        "last_name": row["familyName"],
        **said(preferred_name=row["preferredGivenName"], email=row["email"], phone=row["phone"] or row["sms"]),
    }
    org = row["primaryOrgSourcedId"] or org_of.get(row.sourced_id, "")
    if org:
        values["department"] = to(org)
    if row.is_deleted:
        values = {"status": "withdrawn" if is_student else "departed"}
    initial: dict[str, Any] = {"student_no": code} if is_student else {"employee_no": code, "rank": "other"}
    return row.record(resource, compose(code), values, initial=initial, notes=notes_on(code, identifier))


def _demographic(row: Row | None) -> dict[str, Any]:
    if row is None or row.is_deleted:
        return {}
    return said(birth_date=row["birthDate"], gender=GENDERS.get(row["sex"], "other") if row["sex"] else "")


def _demographics_alone(rows: Mapping[str, Row], parts: Mapping[str, set[str]]) -> Iterator[Record]:
    """Yield what a package says of users whom it does not name otherwise."""
    for resource in RESOURCES:
        for sourced_id, row in rows.items():
            if resource in parts.get(sourced_id, ()) and not row.is_deleted:
                yield row.record(resource, named(sourced_id), _demographic(row))
