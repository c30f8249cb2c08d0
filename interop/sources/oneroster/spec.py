"""The files of OneRoster 1.2 CSV and their fields, in the order their headers have.

From the OneRoster CSV Binding 1.2 (1EdTech, 2022): which fields a row must fill, what they may
hold, and which file a reference leads to. Extension values (`ext:…`) are allowed where the binding
allows them; extension columns (`metadata.…`) follow the columns listed here.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "id", "ref", "date", "year", "boolean", "integer", "number", "choice", "typed"]

VERSION = "1.2"
MANIFEST = "manifest.csv"
MANIFEST_HEADER = ["propertyName", "value"]
SOURCE_PROPERTIES = {"source.systemName", "source.systemCode"}
MODES = ("bulk", "delta", "absent")
STATUSES = ("active", "tobedeleted")
EXTENSION = "ext:"
METADATA = "metadata."


@dataclass(frozen=True, slots=True)
class Field:
    """One column: what its cells hold, whether they may be blank, and whether they hold a list."""

    name: str
    kind: Kind = "text"
    required: bool = False
    many: bool = False
    target: str = ""
    choices: tuple[str, ...] = ()
    extensible: bool = True


def need(name: str, kind: Kind = "text", *, many: bool = False) -> Field:
    return Field(name, kind, required=True, many=many)


def text(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


def flags(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "boolean") for name in names)


def ref(name: str, target: str, *, required: bool = True, many: bool = False) -> Field:
    return Field(name, "ref", required=required, many=many, target=target)


def choice(name: str, *choices: str, required: bool = True, many: bool = False, extensible: bool = True) -> Field:
    return Field(name, "choice", required=required, many=many, choices=choices, extensible=extensible)


def lists(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, many=True) for name in names)


# The first three columns of every file; `demographics` has the user's id as its own.
COMMON = (need("sourcedId", "id"), Field("status"), Field("dateLastModified"))

FILES: dict[str, tuple[Field, ...]] = {
    "academicSessions": (
        need("title"),
        choice("type", "gradingPeriod", "semester", "schoolYear", "term"),
        need("startDate", "date"),
        need("endDate", "date"),
        ref("parentSourcedId", "academicSessions", required=False),
        need("schoolYear", "year"),
    ),
    "orgs": (
        need("name"),
        choice("type", "department", "school", "district", "local", "state", "national"),
        *text("identifier"),
        ref("parentSourcedId", "orgs", required=False),
    ),
    "courses": (
        ref("schoolYearSourcedId", "academicSessions", required=False),
        need("title"),
        *text("courseCode"),
        *lists("grades"),
        ref("orgSourcedId", "orgs"),
        *lists("subjects", "subjectCodes"),
    ),
    "classes": (
        need("title"),
        *lists("grades"),
        ref("courseSourcedId", "courses"),
        *text("classCode"),
        choice("classType", "homeroom", "scheduled"),
        *text("location"),
        ref("schoolSourcedId", "orgs"),
        ref("termSourcedIds", "academicSessions", many=True),
        *lists("subjects", "subjectCodes", "periods"),
    ),
    "users": (
        need("enabledUser", "boolean"),
        need("username"),
        Field("userIds", "typed", many=True),
        *(need("givenName"), need("familyName")),
        *text("middleName", "identifier", "email", "sms", "phone"),
        ref("agentSourcedIds", "users", required=False, many=True),
        *lists("grades"),
        *text("password", "userMasterIdentifier", "preferredGivenName", "preferredMiddleName", "preferredFamilyName"),
        ref("primaryOrgSourcedId", "orgs", required=False),
        *text("pronouns"),
    ),
    "roles": (
        ref("userSourcedId", "users"),
        choice("roleType", "primary", "secondary", extensible=False),
        choice(
            "role", "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor",
            "relative", "siteAdministrator", "student", "systemAdministrator", "teacher",
        ),
        *(Field("beginDate", "date"), Field("endDate", "date")),
        ref("orgSourcedId", "orgs"),
        ref("userProfileSourcedId", "userProfiles", required=False),
    ),
    "enrollments": (
        ref("classSourcedId", "classes"),
        ref("schoolSourcedId", "orgs"),
        ref("userSourcedId", "users"),
        choice("role", "administrator", "proctor", "student", "teacher"),
        *flags("primary"),
        *(Field("beginDate", "date"), Field("endDate", "date")),
    ),
    "demographics": (
        Field("birthDate", "date"),
        choice("sex", "male", "female", "unspecified", "other", required=False),
        *flags(
            "americanIndianOrAlaskaNative", "asian", "blackOrAfricanAmerican", "nativeHawaiianOrOtherPacificIslander",
            "white", "demographicRaceTwoOrMoreRaces", "hispanicOrLatinoEthnicity",
        ),
        *text("countryOfBirthCode", "stateOfBirthAbbreviation", "cityOfBirth", "publicSchoolResidenceStatus"),
    ),
    "userProfiles": (
        ref("userSourcedId", "users"),
        *(need("profileType"), need("vendorId")),
        *text("applicationId", "description"),
        *(need("credentialType"), need("username")),
        *text("password"),
    ),
    "categories": (need("title"), Field("weight", "integer")),
    "lineItems": (
        need("title"),
        *text("description"),
        *(need("assignDate", "date"), need("dueDate", "date")),
        ref("classSourcedId", "classes"),
        ref("categorySourcedId", "categories"),
        ref("academicSessionSourcedId", "academicSessions"),
        *(Field("resultValueMin", "number"), Field("resultValueMax", "number")),
        ref("schoolSourcedId", "orgs"),
    ),
    "results": (
        ref("lineItemSourcedId", "lineItems"),
        ref("studentSourcedId", "users"),
        choice("scoreStatus", "exempt", "fully graded", "not submitted", "partially graded", "submitted"),
        Field("score", "number"),
        need("scoreDate", "date"),
        *text("comment", "textScore"),
        ref("classSourcedId", "classes", required=False),
        *flags("inProgress", "incomplete", "late", "missing"),
    ),
    "scoreScales": (
        *(need("title"), need("type")),
        ref("orgSourcedId", "orgs"),
        ref("courseSourcedId", "courses"),
        ref("classSourcedId", "classes"),
        need("scoreScaleValue", "typed", many=True),
    ),
    "lineItemLearningObjectiveIds": (
        ref("lineItemSourcedId", "lineItems"),
        choice("source", "case", "unknown"),
        need("learningObjectiveId"),
    ),
    "lineItemScoreScales": (
        *text("title"),
        ref("lineItemSourcedId", "lineItems"),
        ref("scoreScaleSourcedId", "scoreScales"),
    ),
    "resultLearningObjectiveIds": (
        ref("resultSourcedId", "results"),
        choice("source", "case", "unknown"),
        need("learningObjectiveId"),
        Field("score", "number"),
        *text("textScore"),
    ),
    "resultScoreScales": (
        *text("title"),
        ref("resultSourcedId", "results"),
        ref("scoreScaleSourcedId", "scoreScales"),
    ),
    "resources": (
        need("vendorResourceId"),
        *text("title"),
        choice(
            "roles", "administrator", "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal",
            "proctor", "relative", "siteAdministrator", "student", "systemAdministrator", "teacher",
            required=False, many=True,
        ),
        choice("importance", "primary", "secondary", required=False, extensible=False),
        *text("vendorId", "applicationId"),
    ),
    "classResources": (*text("title"), ref("classSourcedId", "classes"), ref("resourceSourcedId", "resources")),
    "courseResources": (*text("title"), ref("courseSourcedId", "courses"), ref("resourceSourcedId", "resources")),
    "userResources": (
        ref("userSourcedId", "users"),
        ref("orgSourcedId", "orgs", required=False),
        ref("classSourcedId", "classes", required=False),
        ref("resourceSourcedId", "resources"),
    ),
}  # fmt: skip

# Rows that the product has a place for; the others are checked and counted.
STORED = ("orgs", "academicSessions", "courses", "users", "roles", "demographics", "classes", "enrollments")
KEYS = frozenset(field.name for field in COMMON)
# Their columns of which records are made; the others are checked, and kept nowhere.
READ: dict[str, frozenset[str]] = {
    name: KEYS.union(columns.split())
    for name, columns in {
        "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
        "orgs": "name type parentSourcedId",
        "courses": "title courseCode orgSourcedId",
        "classes": "courseSourcedId classCode termSourcedIds",
        "users": "givenName familyName identifier email sms phone preferredGivenName primaryOrgSourcedId",
        "roles": "userSourcedId role orgSourcedId",
        "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate",
        "demographics": "birthDate sex",
    }.items()
}


def header_of(name: str) -> list[str]:
    """Return the columns that a file of this name begins with."""
    return [field.name for field in COMMON + FILES[name]]
