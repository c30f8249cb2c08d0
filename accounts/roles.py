"""The roles of the university and what each may do.

A role is a set of permissions in code: reviewed with the code that asks for them, and the same in
every installation. Who holds a role, within which scope and until when is data
(`accounts.RoleAssignment`). A permission reads `<app>.<verb>_<model>`; holding it answers whether
an actor may do this kind of thing at all, `core.visibility` on which rows.
"""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db.models import TextChoices


class Role(TextChoices):
    SYSTEM_ADMIN = "system_admin", "System administrator"
    REGISTRAR = "registrar", "Registrar"
    DEPARTMENT_HEAD = "department_head", "Department head"
    PROGRAM_COORDINATOR = "program_coordinator", "Program coordinator"
    FACULTY = "faculty", "Faculty"
    ADVISOR = "advisor", "Advisor"
    TEACHING_ASSISTANT = "teaching_assistant", "Teaching assistant"
    EXAMINER = "examiner", "Examiner"
    EXAM_CONTROLLER = "exam_controller", "Exam controller"
    STUDENT = "student", "Student"
    GUARDIAN = "guardian", "Guardian"
    FINANCE_OFFICER = "finance_officer", "Finance officer"
    FINANCE_APPROVER = "finance_approver", "Finance approver"
    HR_OFFICER = "hr_officer", "HR officer"
    FACILITIES_MANAGER = "facilities_manager", "Facilities manager"
    CAMPAIGN_MANAGER = "campaign_manager", "Campaign manager"
    AUDITOR = "auditor", "Auditor"
    INTEGRATION = "integration", "Integration"


class ScopeKind(TextChoices):
    INSTITUTION = "institution", "Institution"
    DEPARTMENT = "department", "Department"
    PROGRAM = "program", "Program"
    SECTION = "section", "Section"
    SELF = "self", "Self"


# The kinds that name no unit.
UNSCOPED = [ScopeKind.INSTITUTION, ScopeKind.SELF]

_UNITS = (ScopeKind.DEPARTMENT, ScopeKind.PROGRAM, ScopeKind.SECTION)
_ANYWHERE = (ScopeKind.INSTITUTION, *_UNITS)

# Within which kinds of scope a role is held, the usual one first. For oneself are those who are somebody to a student:
# elsewhere it would open nothing that the role is for, or let its holder decide about themselves.
SCOPES: dict[Role, tuple[ScopeKind, ...]] = {
    Role.SYSTEM_ADMIN: (ScopeKind.INSTITUTION,),
    Role.REGISTRAR: _ANYWHERE,
    Role.DEPARTMENT_HEAD: _UNITS,
    Role.PROGRAM_COORDINATOR: (ScopeKind.PROGRAM, ScopeKind.DEPARTMENT, ScopeKind.SECTION),
    Role.FACULTY: (ScopeKind.SELF, *_UNITS),
    Role.ADVISOR: (ScopeKind.SELF, *_UNITS),
    Role.TEACHING_ASSISTANT: (ScopeKind.SECTION, ScopeKind.DEPARTMENT, ScopeKind.PROGRAM),
    Role.EXAMINER: _ANYWHERE,
    Role.EXAM_CONTROLLER: _ANYWHERE,
    # Of a unit they would see everybody who studies there.
    Role.STUDENT: (ScopeKind.SELF,),
    Role.GUARDIAN: (ScopeKind.SELF,),
    Role.FINANCE_OFFICER: (ScopeKind.INSTITUTION, ScopeKind.DEPARTMENT, ScopeKind.PROGRAM),
    Role.FINANCE_APPROVER: (ScopeKind.INSTITUTION, ScopeKind.DEPARTMENT, ScopeKind.PROGRAM),
    Role.HR_OFFICER: (ScopeKind.INSTITUTION, ScopeKind.DEPARTMENT),
    Role.FACILITIES_MANAGER: (ScopeKind.INSTITUTION,),
    Role.CAMPAIGN_MANAGER: (ScopeKind.INSTITUTION, ScopeKind.DEPARTMENT, ScopeKind.PROGRAM),
    Role.AUDITOR: _ANYWHERE,
    Role.INTEGRATION: _ANYWHERE,
}


# By which somebody works with students, and is not one alone or in charge of one.
STAFF = frozenset(Role) - {Role.STUDENT, Role.GUARDIAN}


def usual_scope(role: str) -> ScopeKind:
    """Return the kind of scope a role has unless somebody says otherwise."""
    return SCOPES[Role(role)][0] if role in Role.values else ScopeKind.INSTITUTION


def _all(app_label: str, *models: str) -> set[str]:
    return {f"{app_label}.{verb}_{model}" for model in models for verb in ("view", "add", "change", "delete")}


def _view(app_label: str, *models: str) -> set[str]:
    return {f"{app_label}.view_{model}" for model in models}


# What anybody who works or studies here may read: the structure of the university.
_STRUCTURE = (
    _view(
        "departments",
        *("department", "campus", "building", "room", "roomreservation", "academicyear", "term", "calendarevent"),
        *("program", "appointment"),
    )
    | _view("courses", "course", "courseversion", "requisite", "section", "meeting")
    | _view("attendance", "classsession", "attendancecode", "attendancepolicy")
)

# Files: which of them, sight says. Whoever sees a record reads its files, and everybody their own.
_READ_FILES = _view("files", "fileasset")
_FILES = _READ_FILES | {"files.add_fileasset", "files.delete_fileasset"}
_EVERY_FILE = {"files.view_every_file"}
# What people work on: everybody their own.
_PROJECTS = _all("projects", "project")
_EVERY_PROJECT = {"projects.view_every_project"}
# Final projects: everybody sees what is offered, students say what they prefer, and those in charge plan.
_OFFERED = _view("projects", "projectcycle", "supervisorcapacity", "topic", "plannedmilestone")
_OWN_TOPICS = _all("projects", "topic")
_APPLY = _all("projects", "projectapplication")
_IN_PROJECTS = _view("projects", "projectmember")
_OUTCOMES = _view("projects", "allocationoutcome")
# What is due in a final project: those who do it reach it, and whoever supervises it says what is due and judges it.
_DUE = _view("projects", "milestone", "milestoneevent", "extensionrequest", "submission", "logentry")
_MEETINGS = _all("projects", "logentry") | {"projects.sign_logentry"}
_DO_PROJECTS = _IN_PROJECTS | _DUE | {"projects.submit_milestone", "projects.add_extensionrequest"}
_SUPERVISE = (
    _IN_PROJECTS
    | _DUE
    | _all("projects", "milestone")
    | {"projects.judge_milestone", "projects.decide_extensionrequest"}
)
_PLAN_PROJECTS = (
    _all("projects", "projectcycle", "supervisorcapacity", "plannedmilestone")
    | {"projects.apply_plannedmilestone"}
    | _DO_PROJECTS
    | _SUPERVISE
    | _OWN_TOPICS
    | _APPLY
    | _OUTCOMES
    | {"projects.add_projectmember", "projects.change_projectmember"}
    | {f"projects.{verb}_allocationrun" for verb in ("view", "add", "publish")}
)

# Endpoints of programs, each of which is told what its owner may see.
_WEBHOOKS = _all("notifications", "webhookendpoint") | {
    "notifications.view_webhookdelivery", "notifications.change_webhookdelivery",
}  # fmt: skip
_EVERY_WEBHOOK = {"notifications.view_every_webhook"}

# And of one another, as far as each lets themselves be found.
_MEMBER = _STRUCTURE | _FILES | _PROJECTS | _OFFERED | _view("directory", "directoryentry")

# Birth dates, gender, nationality, phone numbers, addresses: for those who answer for a student, and the student.
_PROTECTED = {"students.view_protected_student"}
# Leaving the directory, where everybody here may find everybody else.
_OPTING_OUT = {"students.opt_out_of_directory"}
# What a student is granted because of a disability: for those who grant it, and the student.
_ACCOMMODATIONS = {"students.view_accommodation"}
# Who is a guardian of whom, and that the student agrees: for whom a student agrees as well.
_GUARDIANS = {f"students.{verb}_guardianlink" for verb in ("view", "add", "change", "consent")}
# Phone numbers of faculty and the terms of their employment: for those who employ them, and they themselves.
_EMPLOYMENT = {"faculty.view_protected_faculty"}
# What members of faculty are paid: for those who pay them, and they themselves.
_PAY = {"faculty.view_salary"}

# National identity numbers, passports, tax numbers: masked, and in the clear for a stated reason.
_IDENTIFIERS = {"accounts.reveal_personidentifier"}

# A version of a course is never taken back, and who teaches a section is part of the section.
_CATALOGUE = (
    _all("courses", "course", "requisite", "section", "meeting")
    | _view("courses", "courseversion", "sectioninstructor")
    | {"courses.add_courseversion", "courses.change_courseversion"}
)

# Who was in which class, and whether that admits them to the examination: for those who teach it and those in charge.
_STANDINGS = _view("attendance", "standing", "attendancerecord", "eligibilitydecision")
# Admitting people to examinations by their attendance, and in spite of it.
_ADMITTING = {
    "attendance.decide_eligibilitydecision", "attendance.view_decisionrun", "attendance.add_decisionrun",
    "attendance.view_condonation",
}  # fmt: skip
# Who falls short, of many at once: for those who may do something about it.
_SHORTAGES = _STANDINGS | _view("attendance", "attendancesummary")
# Who marked whom, when and why, and what was there before: for those who settle doubts about it.
_SHEET_HISTORIES = _view("attendance", "sheethistory")
_CHECK_INS = {"attendance.view_checkinevent", "attendance.change_checkinevent"}
_ROSTERS = {"attendance.view_roster", "attendance.change_roster"} | _CHECK_INS | _SHORTAGES

# That a student asks to be excused, and what was decided. Why, and by which documents, is told those who decide about
# it and the student: it may be medical.
_EXCUSES = _view("attendance", "excuserequest")
_OWN_EXCUSES = (
    _EXCUSES
    | _view("attendance", "excuseevent")
    | {"attendance.add_excuserequest", "attendance.change_excuserequest", "attendance.view_protected_excuserequest"}
)
_DECIDE_EXCUSES = _OWN_EXCUSES | {"attendance.decide_excuserequest"}

# Their histories are written by the steps that the rows take, and by nobody in person.
_STUDENT_RECORDS = ("student", "programenrollment", "studentstatusevent", "programenrollmentevent")
_FACULTY_RECORDS = ("faculty", "facultyappointment", "facultystatusevent")

# Who stands in for whom in which class: asked for by teachers and those in charge, and answered by whoever is asked.
_PROPOSE_SUBSTITUTES = _view("attendance", "substitution", "substitutionevent") | {
    "attendance.add_substitution", "attendance.change_substitution",
}  # fmt: skip
_SUBSTITUTE = _PROPOSE_SUBSTITUTES | {"attendance.change_substitutionoffer"}

_PERMISSIONS: dict[Role, set[str]] = {
    Role.REGISTRAR: _MEMBER
    | _PLAN_PROJECTS
    | _IDENTIFIERS
    | _all("accounts", "personidentifier")
    | _PROTECTED
    | _ACCOMMODATIONS
    | _OPTING_OUT
    | _EMPLOYMENT
    | _CATALOGUE
    | _all("departments", "department", "campus", "building", "room", "program", "appointment")
    | _all("departments", "academicyear", "term", "calendarevent")
    | _all("students", "student", "programenrollment")
    | _view("students", *_STUDENT_RECORDS)
    | _GUARDIANS
    | _all("faculty", "faculty")
    | _view("faculty", *_FACULTY_RECORDS)
    | _all("enrollment", "enrollment")
    | {"enrollment.override_rules", "attendance.change_classsession", "attendance.lock_roster"}
    | _ROSTERS
    | _SHEET_HISTORIES
    | _PROPOSE_SUBSTITUTES
    | _all("attendance", "attendancecode", "attendancepolicy")
    | _view("attendance", "punch")
    | _all("attendance", "reader")
    # Whose calendar a program reads: to be looked at and revoked.
    | {"attendance.view_calendarfeed", "attendance.delete_calendarfeed"}
    # Cards are given and taken away, never changed.
    | {f"attendance.{verb}_credential" for verb in ("view", "add", "delete")}
    | _DECIDE_EXCUSES
    | _ADMITTING
    | _all("core", "customfield")
    | _all("interop", "importjob")
    | _view("privacy", "subjectexport", "legalhold")
    | {"privacy.add_subjectexport", "privacy.add_erasurerequest", "privacy.change_erasurerequest"}
    | {"privacy.add_legalhold", "privacy.change_legalhold"}
    | _view("audit", "disclosure")
    | _view("accounts", "user", "roleassignment", "person"),
    Role.DEPARTMENT_HEAD: _MEMBER
    | _PLAN_PROJECTS
    | _PROTECTED
    | _EMPLOYMENT
    | _CATALOGUE
    | _view("students", *_STUDENT_RECORDS)
    | _view("faculty", *_FACULTY_RECORDS)
    | {"faculty.change_faculty", "departments.change_department", "attendance.change_classsession"}
    | {"attendance.lock_roster"}
    | _ROSTERS
    | _SHEET_HISTORIES
    | _PROPOSE_SUBSTITUTES
    | _DECIDE_EXCUSES
    | _all("enrollment", "enrollment"),
    Role.PROGRAM_COORDINATOR: _MEMBER
    | _PLAN_PROJECTS
    | _PROTECTED
    | _view("students", *_STUDENT_RECORDS)
    | _view("faculty", "faculty")
    | _SHORTAGES
    | _DECIDE_EXCUSES
    | _all("enrollment", "enrollment"),
    Role.FACULTY: _MEMBER
    | _OWN_TOPICS
    | _SUPERVISE
    | _MEETINGS
    | _EMPLOYMENT
    | _PAY
    | _ROSTERS
    | _SUBSTITUTE
    | _view("students", "student")
    | _view("faculty", "faculty")
    | _view("enrollment", "enrollment"),
    Role.ADVISOR: _MEMBER
    | _view("projects", "projectapplication")
    | _PROTECTED
    | _SHORTAGES
    | _EXCUSES
    | _view("students", *_STUDENT_RECORDS)
    | _view("enrollment", "enrollment"),
    Role.TEACHING_ASSISTANT: _MEMBER | _view("students", "student") | _view("enrollment", "enrollment"),
    Role.EXAMINER: _MEMBER,
    Role.EXAM_CONTROLLER: _MEMBER
    | _SHORTAGES
    | _SHEET_HISTORIES
    | _ADMITTING
    | _view("students", "student")
    | _view("enrollment", "enrollment"),
    Role.STUDENT: _MEMBER
    | _APPLY
    | _DO_PROJECTS
    | _MEETINGS
    | _OUTCOMES
    | _PROTECTED
    | _STANDINGS
    | {"attendance.add_checkinevent", "attendance.view_condonation"}
    | _OWN_EXCUSES
    | _ACCOMMODATIONS
    | _OPTING_OUT
    | {"students.view_guardianlink", "students.consent_guardianlink"}
    | _view("students", *_STUDENT_RECORDS)
    | _view("audit", "disclosure")
    | {"enrollment.view_enrollment", "enrollment.add_enrollment", "enrollment.delete_enrollment"},
    # On no row but those that a live link opens.
    Role.GUARDIAN: _STRUCTURE
    | _READ_FILES
    | _view("students", "student", "guardianlink")
    | {"students.view_ward", "enrollment.view_enrollment"},
    Role.FINANCE_OFFICER: _MEMBER | _view("students", "student"),
    Role.FINANCE_APPROVER: _MEMBER,
    Role.HR_OFFICER: _MEMBER | _EMPLOYMENT | _PAY | _all("faculty", "faculty") | _view("faculty", *_FACULTY_RECORDS),
    Role.FACILITIES_MANAGER: _MEMBER | _all("departments", "campus", "building", "room"),
    Role.CAMPAIGN_MANAGER: _MEMBER,
    # What other systems are fed with: who studies and teaches what, without anything protected. They write nothing,
    # but for where they want to be told.
    Role.INTEGRATION: _STRUCTURE
    | _READ_FILES
    | _view("students", "student", "programenrollment")
    | _view("faculty", "faculty")
    | _view("enrollment", "enrollment")
    | {"attendance.add_punch"}
    | _WEBHOOKS,
}


@cache
def permissions_of(role: str) -> frozenset[str]:
    """Return the permissions of a role, named by its value; an unknown role has none."""
    if role == Role.SYSTEM_ADMIN:
        everything = frozenset(_every(("view", "add", "change", "delete"))).union(*_PERMISSIONS.values())
        managed = {"files.manage_every_file", "projects.manage_every_project", "notifications.manage_every_webhook"}
        return everything | _EVERY_FILE | _EVERY_PROJECT | _EVERY_WEBHOOK | managed
    if role == Role.AUDITOR:
        every = _EVERY_FILE | _EVERY_PROJECT | _EVERY_WEBHOOK
        return frozenset(_every(("view",)) | _PROTECTED | _EMPLOYMENT | every)
    return frozenset(_PERMISSIONS.get(Role(role), set())) if role in Role.values else frozenset()


def _every(verbs: Iterable[str]) -> set[str]:
    return {f"{model._meta.app_label}.{verb}_{model._meta.model_name}" for model in apps.get_models() for verb in verbs}
