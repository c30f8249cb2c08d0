"""What is sent to each route: a body that would be accepted from somebody in charge of the row it is about.

A refusal that came from an invalid body would say nothing about permissions. A route that takes a body
and is not covered needs a line in `NEW`, `CHANGES` or `STEPS`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ApiKey, PersonIdentifier, RoleAssignment, User
from attendance.models import (
    AttendanceCode,
    AttendancePolicy,
    Credential,
    DecisionRun,
    ExcuseRequest,
    Reader,
    Substitution,
)
from core.models import CustomField
from courses.models import Course, CourseVersion, Meeting, Requisite, Section
from departments.models import (
    AcademicYear,
    Appointment,
    Building,
    CalendarEvent,
    Campus,
    Department,
    Program,
    Room,
    Term,
)
from enrollment.models import Enrollment
from faculty.models import Faculty
from files.models import FileLink
from interop.models import ExportJob
from notifications.models import WebhookEndpoint
from privacy.models import ErasureRequest, LegalHold, SubjectExport
from projects.models import (
    AllocationRun,
    ExtensionRequest,
    ImportantDate,
    LogEntry,
    Milestone,
    PlannedMilestone,
    Project,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
    Topic,
)
from students.models import GuardianLink, ProgramEnrollment, Student
from tests.accounts.factories import PASSWORD
from tests.authorization.final_projects import due, more_time, new_cycle, said
from tests.authorization.world import MISSING, MISSING_ID, OTHER, OWN, World
from tests.contract.routes import Route

DATES = {"starts_on": "2026-09-01", "ends_on": "2027-01-31"}
TIMES = {"weekday": 2, "starts_at": "09:00", "ends_at": "10:00"}

# A row like that of a side, by what the side consists of.
NEW: dict[Any, Callable[[Any], dict[str, Any]]] = {
    User: lambda side: {"email": "somebody@example.org"},
    RoleAssignment: lambda side: {"user": side.student_user, "role": "examiner", "scope_kind": "institution"},
    PersonIdentifier: lambda side: {
        "person": side.student.person, "scheme": "tax_number", "country": "AT", "value": "12 345 678",
    },
    GuardianLink: lambda side: {
        "student": side.student, "person": side.advisor_person, "relation": "parent", "scopes": ["profile"],
    },
    ApiKey: lambda side: {
        "user": side.program_user, "name": "Novelties", "scopes": ["courses.view_course"],
        "expires_at": timezone.now() + timedelta(days=9),
    },
    WebhookEndpoint: lambda side: {"url": "https://hooks.example.org/", "topics": ["courses.section.cancelled"]},
    CustomField: lambda side: {
        "entity_type": "students.student", "name": "shoe_size", "label": "Shoe size", "field_type": "text",
    },
    ErasureRequest: lambda side: {"person": side.student.person, "reason": "Asked for by letter"},
    LegalHold: lambda side: {"person": side.student.person, "reason": "A case"},
    ExportJob: lambda side: {"kind": "attendance_records", "filters": {"section": side.section}},
    SubjectExport: lambda side: {
        "person": side.student.person, "reason": "Asked for by letter", "password": PASSWORD,
    },
    Department: lambda side: {"code": "NEW", "name": "Novelties", "parent": side.department},
    Program: lambda side: {
        "code": "NEW", "name": "Novelties", "level": "bachelor", "department": side.department, "total_credits": "180",
    },
    Appointment: lambda side: {
        "department": side.department, "person": side.student.person, "role": "deputy", "starts_on": "2026-09-01",
    },
    Campus: lambda side: {"code": "NEW", "name": "Novelties"},
    Building: lambda side: {"campus": side.campus, "code": "NEW", "name": "Novelties"},
    Room: lambda side: {"building": side.building, "code": "NEW", "capacity": 10},
    AcademicYear: lambda side: {"code": "NEW", "name": "Novelties", **DATES},
    Term: lambda side: {"academic_year": side.year, "code": "NEW", "name": "Novelties", **DATES},
    AttendanceCode: lambda side: {"code": "novelty", "label": "Novelty", "weight": "1.000"},
    DecisionRun: lambda side: {"term": side.term, "course": side.course},
    AttendancePolicy: lambda side: {"course": side.other_course, "threshold": "80.00"},
    Reader: lambda side: {
        "code": "novelty", "name": "Novelty", "room": side.room, "account": side.program_user,
    },
    Credential: lambda side: {"student": side.classmate, "credential": "04A2", "label": "Novelty"},
    ExcuseRequest: lambda side: {
        "student": side.student, "kind": "medical", "starts_at": "2026-10-06T08:00:00Z",
        "ends_at": "2026-10-06T18:00:00Z",
    },
    Substitution: lambda side: {"session": side.coming, "substitute": side.newcomer, "reason": "A conference"},
    CalendarEvent: lambda side: {"name": "Novelties", "kind": "holiday", "campus": side.campus, **DATES},
    Student: lambda side: {"last_name": "Novak", "department": side.department},
    ProgramEnrollment: lambda side: {"student": side.classmate, "program": side.second_program},
    Faculty: lambda side: {
        "last_name": "Novak", "employee_no": "NEW", "rank": "lecturer", "department": side.department,
    },
    Course: lambda side: {"code": "NEW", "title": "Novelties", "credits": "3.00", "department": side.department},
    CourseVersion: lambda side: {"title": "Novelties", "starts_on": "2030-09-01"},
    Requisite: lambda side: {"course_version": side.course.current_version, "kind": "co", "expr": {"credits": "30"}},
    Section: lambda side: {"course": side.course, "term": side.term, "code": "NEW", "capacity": 10},
    Meeting: lambda side: {"sections": [side.section], **TIMES},
    Project: lambda side: {
        "project_type": "school", "name": "Novelties",
        "school_data": {"course_name": "Novelties", "course_code": "NEW", "teacher_name": "Novak"},
    },
    ProjectCycle: new_cycle,
    SupervisorCapacity: lambda side: {"cycle": side.cycle, "faculty": side.colleague, "max_count": 2},
    FileLink: lambda side: {"file": side.photo},
    ImportantDate: lambda side: {"title": "Report", "date": "2026-12-01"},
    Topic: lambda side: {"cycle": side.cycle, "supervisor": side.faculty, "title_local": "Novelties"},
    ProjectApplication: lambda side: {
        "cycle": side.cycle, "student": side.classmate, "topics": [side.unasked, side.thesis],
    },
    AllocationRun: lambda side: {"cycle": side.running},
    ProjectMember: lambda side: {"project": side.member.project, "student": side.classmate},
    PlannedMilestone: lambda side: due(cycle=side.running),
    Milestone: lambda side: due(project=side.member.project),
    ExtensionRequest: more_time,
    LogEntry: said,
    Enrollment: lambda side: {"student": side.student, "section": side.other_section},
}  # fmt: skip

# A small change to a row, which may depend on what its side consists of.
CHANGES: dict[Any, Any] = {
    User: {"must_change_password": True},
    RoleAssignment: {"valid_until": "2040-01-01T00:00:00Z"},
    PersonIdentifier: {"country": "DE"},
    ApiKey: {"name": "Changed"},
    WebhookEndpoint: {"description": "Changed"},
    CustomField: {"label": "Changed"},
    AttendanceCode: {"label": "Changed"},
    AttendancePolicy: {"threshold": "81.00"},
    Reader: {"name": "Changed"},
    ExcuseRequest: {"statement": "Changed"},
    Appointment: {"ends_on": "2040-01-01"},
    Room: {"capacity": 9},
    Student: {"admitted_on": "2026-09-01"},
    GuardianLink: {"scopes": ["profile"]},
    ProgramEnrollment: {"cohort": "2026"},
    Faculty: {"fte": "0.50"},
    Course: {"title": "Changed"},
    Requisite: {"kind": "co"},
    Section: {"capacity": 31},
    Meeting: {"weekday": 3},
    Enrollment: {"grade_basis": "pass_fail"},
    SupervisorCapacity: {"max_count": 4},
    ImportantDate: {"title": "Changed"},
    Topic: {"places": 2},
    ProjectApplication: lambda side: {"topics": [side.unasked]},
    ProjectMember: {"contribution": "60.00"},
    PlannedMilestone: {"weight": "5.00"},
    Milestone: {"weight": "5.00"},
    LogEntry: {"minutes": 25},
    **{
        model: {"name": "Changed"}
        for model in (Department, Program, Campus, Building, AcademicYear, Term, CalendarEvent, Project, ProjectCycle)
    },
}

# What a whole replacement of a row does not name, and what it repeats, since it is final.
FINAL: dict[Any, tuple[str, ...]] = {
    PersonIdentifier: ("person",),
    GuardianLink: ("student", "person"),
    ProgramEnrollment: ("student", "program"),
    Enrollment: ("student", "section"),
    ExcuseRequest: ("student",),
    Department: ("parent",),
    Project: ("project_type",),
    ProjectCycle: ("program", "academic_year"),
    SupervisorCapacity: ("cycle", "faculty"),
    Topic: ("cycle", "supervisor"),
    ProjectApplication: ("cycle", "student"),
    ProjectMember: ("project", "student"),
    PlannedMilestone: ("cycle",),
    Milestone: ("project",),
    LogEntry: ("project",),
}
KEPT: dict[Any, tuple[str, ...]] = {RoleAssignment: ("role", "scope_kind"), Faculty: ("employee_no",)}

# The body of a step, by resource and action; of an action without a row, by what a side consists of.
STEPS: dict[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("api-keys", "rotate"): lambda side: {"overlap_seconds": 60},
    ("webhooks", "rotate"): lambda side: {"overlap_seconds": 60},
    ("webhook-deliveries", "replay"): lambda side: {},
    ("person-identifiers", "reveal"): lambda side: {"reason": "Asked for by the embassy"},
    ("terms", "move"): lambda side: {"state": "in_progress"},
    ("students", "change_status"): lambda side: {"status": "leave_of_absence"},
    **{("guardian-links", step): lambda side: {} for step in ("verify", "revoke", "consent", "withdraw_consent")},
    ("students", "opt_out"): lambda side: {"opted_out": True},
    ("program-enrollments", "change_status"): lambda side: {"status": "leave_of_absence"},
    ("faculty", "change_status"): lambda side: {"status": "on_leave"},
    **{("attendance", step): lambda side: {} for step in ("open", "close")},
    **{("attendance", step): lambda side: {} for step in ("approve", "reject", "accept")},
    **{("attendance", step): lambda side: {"reason": "Mixed up"} for step in ("lock", "unlock", "revoke", "decline")},
    **{
        ("attendance", step): lambda side: {"reason": "Was ill"}
        for step in ("cancel", "reinstate", "condone", "withdraw")
    },
    ("attendance", "decide"): lambda side: {"section": side.section},
    ("attendance", "mark_many"): lambda side: {
        "code": "present",
        "students": [side.student],
        "sessions": [side.session],
    },
    ("attendance", "cancel_many"): lambda side: {
        "section": side.session.section_id,
        "starts_at": side.session.starts_at,
        "ends_at": side.session.ends_at,
        "reason": "Heavy snow",
    },
    ("attendance", "lock_many"): lambda side: {"section": side.session.section_id, "reason": "The middle of the term"},
    ("attendance", "sync"): lambda side: {
        "marks": [
            {
                "client_id": "01955500-0000-7000-8000-000000000009",
                "session": side.session,
                "enrollment": side.enrollment,
                "code": "present",
                "made_at": "2026-10-05T09:10:00Z",
                "version": 1,
            }
        ]
    },
    ("attendance", "mark"): lambda side: {"marks": [], "default": "present"},
    ("attendance", "open_check_in"): lambda side: {"opens_at": side.session.starts_at.isoformat()},
    **{("attendance", step): lambda side: {} for step in ("close_check_in", "review")},
    ("attendance", "take"): lambda side: {
        "items": [{"reader": "A", "external_event_id": "1", "credential": "04A2", "at": "2026-10-05T09:00:00Z"}]
    },
    ("attendance", "check_in"): lambda side: {"token": "shown", "device_key": "a telephone of somebody"},
    ("attendance", "reschedule"): lambda side: {
        "starts_at": "2026-10-06T09:00:00Z",
        "ends_at": "2026-10-06T10:00:00Z",
    },
    ("sections", "move"): lambda side: {"status": "closed"},
    ("enrollments", "preflight"): lambda side: {"student": side.student, "section": side.other_section},
    **{("enrollments", step): lambda side: {} for step in ("confirm", "withdraw", "cancel", "complete")},
    ("imports", "revert"): lambda side: {},
    ("privacy", "approve"): lambda side: {},
    **{("privacy", step): lambda side: {"reason": "Said so"} for step in ("reject", "release")},
    ("files", "create"): lambda side: {"name": "novelty.txt", "size": 5},
    ("files", "partial_update"): lambda side: {},
    **{("imports", step): lambda side: {} for step in ("create", "validate", "apply", "resume")},
    ("auth", "post"): lambda side: {},
    ("attendance", "post"): lambda side: {},
    ("notifications", "mark_read"): lambda side: {},
    **{("projects", step): lambda side: {"metadata": {"note": "Changed"}} for step in ("add", "replace", "merge")},
    ("project-allocations", "publish"): lambda side: {},
    ("planned-milestones", "apply"): lambda side: {},
    ("milestones", "submit"): lambda side: {"statement": "The first chapters"},
    ("supervision-log", "sign"): lambda side: {},
    ("milestones", "accept"): lambda side: {"feedback": "Well done"},
    ("milestones", "send_back"): lambda side: {"feedback": "Say why"},
    **{("extension-requests", step): lambda side: {"answer": "So be it"} for step in ("grant", "refuse")},
    **{("projects", step): lambda side: {} for step in ("publish", "complete", "reopen")},
    ("notifications", "post"): lambda side: {},
    ("notifications", "put"): lambda side: {
        "preferences": [{"topic": "attendance.shortage", "channel": "email", "is_enabled": False}],
        "quiet_hours": {"starts_at": "22:00:00", "ends_at": "07:00:00", "time_zone": "Europe/Vienna"},
    },
    ("users", "reset_factors"): lambda side: {"reason": "Lost the telephone"},
}


def body_for(route: Route, method: str, world: World, target: str) -> Any:
    """Return what to send; None for a method without a body."""
    if method not in ("POST", "PUT", "PATCH"):
        return None
    action = route.actions[method]
    side = world.sides[OTHER if target == OTHER else OWN]
    step = STEPS.get((str(route).partition("/")[0], action))
    if step is not None:
        return as_json(step(side))
    model = route.model
    _require(action, model)
    if action.startswith("bulk_"):
        return {"items": [_item(action, model, world, target)]}
    return as_json(NEW[model](side)) if action == "create" else _replacement(action, model, world, target)


def _item(action: str, model: Any, world: World, target: str) -> dict[str, Any]:
    if action == "bulk_create":
        item: dict[str, Any] = as_json(NEW[model](world.sides[target]))
        return item
    row = MISSING_ID if target == MISSING else world.row(model, target).pk
    return {"id": str(row), **(CHANGES[model] if action == "bulk_update" else {})}


def _replacement(action: str, model: Any, world: World, target: str) -> dict[str, Any]:
    side = world.sides[OTHER if target == OTHER else OWN]
    changes = CHANGES[model]
    changed: dict[str, Any] = as_json(changes(side)) if callable(changes) else changes
    if action == "partial_update":
        return changed
    row = world.row(model, OWN if target == MISSING else target)
    whole = as_json(NEW[model](side)) | {name: getattr(row, name) for name in KEPT.get(model, ())}
    return {name: whole[name] for name in whole if name not in FINAL.get(model, ())} | changed


def _require(action: str, model: Any) -> None:
    crud = ("create", "bulk_create", "update", "partial_update", "bulk_update", "bulk_delete")
    if action not in crud:
        raise AssertionError(
            f"Nobody knows what to send for `{action}`: add it to STEPS in tests/authorization/bodies.py."
        )
    if model not in NEW or (action != "create" and model not in CHANGES and model is not CourseVersion):
        raise AssertionError(
            f"Nobody knows what a {model.__name__} is made of: "
            "add it to NEW and CHANGES in tests/authorization/bodies.py."
        )


def as_json(value: Any) -> Any:
    """Return a body with the id of each row in its place."""
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return str(value.pk) if hasattr(value, "pk") else value
