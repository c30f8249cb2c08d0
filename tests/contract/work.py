"""What happens at a university in a term, so that no list of the API stays empty: all of it through the API."""

from contextlib import suppress
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Count
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from attendance.models import AttendanceSummary, ClassSession, Condonation, EligibilityDecision, Reader
from attendance.services import (
    Attempt,
    Seen,
    generate_sessions,
    mark_roster,
    open_check_in,
    propose_substitution,
    take_punches,
    withdraw_substitution,
)
from attendance.services import check_in as attendance_check_in
from attendance.services.generation import TAUGHT
from attendance.topics import SHORTAGE
from core.customfields.definitions import customizable_models
from core.errors import DomainError
from courses.events import SectionCancelled
from courses.models import Section, SectionInstructor
from departments.models import Term
from enrollment.models import Enrollment
from faculty.models import Faculty
from interop import services
from notifications.offers import Offer, offer_named
from notifications.services import notify, spread
from projects.models import Project
from students.models import Student
from tests.contract.final_projects import plan_final_projects

NOTE, NOTED = "contract_note", "Zephyranthes"
STEPS = 12


def work_for_a_term(registrar: APIClient, administrator: APIClient) -> None:
    """Let students and faculty go and come back, change posts and programs, enrol and drop, teach anew."""
    students = rows(registrar, "students")[:STEPS]
    go_and_come_back(registrar, students)
    promote(registrar)
    for course in rows(registrar, "courses")[:STEPS]:
        post(registrar, f"courses/{course['id']}/versions", {"title": "Renewed", "starts_on": "2030-09-01"})
    for campus in ("North", "South"):
        post(registrar, "campuses", {"code": campus.upper(), "name": campus, "time_zone": "Europe/Vienna"})
    identify(registrar)
    for term in Term.objects.filter(state__in=TAUGHT).order_by("starts_on")[:1]:
        generate_sessions(at=timezone.now(), term=term)
    check_in()
    entrust(registrar, students)
    enrol_and_drop(registrar, students)
    for number in range(3):
        post(registrar, "attendance/codes", {"code": f"outing_{number}", "label": "Outing", "weight": "1.000"})
    for department in rows(registrar, "departments")[:STEPS]:
        post(registrar, "attendance/policies", {"department": department["id"], "threshold": "80.00"})
    mark()
    excuse(registrar, administrator, students)
    admit(registrar)
    decide_about_terms(registrar)
    substitute()
    fall_short()
    begin_projects(registrar)
    plan_final_projects(registrar)
    note_records(administrator)
    let_programs_call(administrator)
    watch_doors(registrar, administrator, students)
    ask_about_data(registrar, rows(registrar, "students")[STEPS : STEPS + 3])
    bring_in_files(registrar)
    take_away(registrar)
    keep_files(administrator)
    post(administrator, "attendance/calendar-feed", {})
    tell_everybody()


def go_and_come_back(registrar: APIClient, students: list[dict[str, Any]]) -> None:
    """Let students go abroad and return, and the first of them study other programs, too."""
    for student in students:
        for status in ("leave_of_absence", "active"):
            post(registrar, f"students/{student['id']}/change-status", {"status": status, "reason": "Exchange year"})
    for program in rows(registrar, "programs")[:3]:
        if program["id"] != students[0]["program"]["id"]:
            post(registrar, "program-enrollments", {"student": students[0]["id"], "program": program["id"]})


def promote(registrar: APIClient) -> None:
    """Let members of the faculty go on leave, return and hold another post."""
    for member in rows(registrar, "faculty")[:STEPS]:
        for status in ("on_leave", "active"):
            post(registrar, f"faculty/{member['id']}/change-status", {"status": status})
        other = "senior_lecturer" if member["rank"] != "senior_lecturer" else "lecturer"
        patch(registrar, f"faculty/{member['id']}", {"rank": other})


def identify(registrar: APIClient) -> None:
    """Record the passports of some people who have accounts."""
    people = [account["person"]["id"] for account in rows(registrar, "users") if account["person"]]
    for number, person in enumerate(people[:STEPS]):
        passport = {"person": person, "scheme": "passport", "country": "AT", "value": f"P {number:07}"}
        post(registrar, "person-identifiers", passport)
    for country in ("CZ", "DE", "HU"):
        number = {"person": people[0], "scheme": "tax_number", "country": country, "value": "123 456"}
        post(registrar, "person-identifiers", number)


def check_in() -> None:
    """Let a student try to check in to some classes with codes that they made up."""
    student = User.objects.filter(person__in=Student.objects.values("person"), role_assignments__role="student").first()
    assert student is not None
    for session in ClassSession.objects.order_by("starts_at", "pk")[:3]:
        open_check_in(session, by=None, at=session.starts_at)
        attempt = Attempt(token="made up", device_key="a telephone")
        with suppress(DomainError):  # it is refused, and kept as an attempt
            attendance_check_in(session, attempt, by=student, at=session.starts_at)


def entrust(registrar: APIClient, students: list[dict[str, Any]]) -> None:
    """Let some students have a guardian."""
    people = [account["person"]["id"] for account in rows(registrar, "users") if account["person"]]
    for student in students[:3]:
        link = {"student": student["id"], "person": people[0], "relation": "other", "scopes": ["profile"]}
        post(registrar, "guardian-links", link)


def enrol_and_drop(registrar: APIClient, students: list[dict[str, Any]]) -> None:
    """Enrol some students where there are seats, and let them go again."""
    sections = rows(registrar, "sections", has_seats="true", status="open,in_progress", ordering="enrolled_count")
    for student, section in zip(students, sections, strict=False):
        wish = {"student": student["id"], "section": section["id"], "override": True, "reason": "Came late"}
        answer = registrar.post("/api/v1/enrollments/", wish, format="json")
        if answer.status_code == 201:
            gone = registrar.delete(f"/api/v1/enrollments/{answer.json()['data']['id']}/")
            assert gone.status_code == 204, gone.content


def mark() -> None:
    """Mark the students of some classes, as if they were over."""
    taken = ClassSession.objects.filter(section__enrollments__status="enrolled").distinct()
    for session in taken.order_by("starts_at", "pk")[:3]:
        mark_roster(session, marks=[], default="outing_0", by=None, at=session.ends_at)


def excuse(registrar: APIClient, administrator: APIClient, students: list[dict[str, Any]]) -> None:
    """Ask for some students to be excused, and let somebody else decide."""
    for student in students[:3]:
        span = {"starts_at": "2026-11-05T06:00:00Z", "ends_at": "2026-11-06T18:00:00Z"}
        wish = {"student": student["id"], "kind": "medical", "statement": "A fever", **span}
        answer = registrar.post("/api/v1/attendance/excuses/", wish, format="json")
        assert answer.status_code == 201, answer.content
        if student is not students[2]:  # One is waiting, and may still be changed.
            url = f"/api/v1/attendance/excuses/{answer.json()['data']['id']}/reject/"
            read = {"If-Match": answer.headers["ETag"]}
            answer = administrator.post(url, {"reason": "No proof"}, format="json", headers=read)
            assert answer.status_code == 200, answer.content


def substitute() -> None:
    """Ask colleagues to teach some classes, as if they were to come; one is asked no longer, none has answered."""
    for session in ClassSession.objects.filter(section__section_instructors__role="primary").order_by("pk")[:3]:
        free = Faculty.objects.filter(status="active").exclude(taught_sections__section=session.section_id)
        at = session.starts_at - timedelta(days=1)
        asked = propose_substitution(
            session=session, substitute=free.earliest("pk"), reason="A conference", by=None, at=at
        )
    withdraw_substitution(asked, by=None, at=at)


def fall_short() -> None:
    """Let some students fall short of what is asked for, without a class that they were marked in."""
    some = Enrollment.objects.filter(attendance_summary=None).order_by("pk")[:STEPS]
    AttendanceSummary.objects.bulk_create(
        AttendanceSummary(
            enrollment=one, section_id=one.section_id, term_id=one.term_id, counted=1, percent=0, is_short=True
        )
        for one in some
    )


def admit(registrar: APIClient) -> None:
    """Decide who may sit the examination of the sections in which somebody was marked, some as if condoned."""
    for section in AttendanceSummary.objects.values_list("section", flat=True).distinct():
        post(registrar, "attendance/decisions/decide", {"section": str(section)})
    some = EligibilityDecision.objects.order_by("pk").values_list("pk", flat=True)[:STEPS]
    Condonation.objects.bulk_create(Condonation(pk=pk, decision_id=pk) for pk in some)


def decide_about_terms(registrar: APIClient) -> None:
    """Ask for decisions about some courses and whole terms."""
    for section in Section.objects.order_by("pk")[:3]:
        post(registrar, "attendance/decision-runs", {"term": str(section.term_id), "course": str(section.course_id)})
        post(registrar, "attendance/decision-runs", {"term": str(section.term_id), "is_dry_run": True})


def note_records(administrator: APIClient) -> None:
    """Define a searchable field for every kind of record, and give some records a value."""
    for label, model in customizable_models().items():
        definition = {"entity_type": label, "name": NOTE, "label": "Note", "field_type": "text", "is_searchable": True}
        post(administrator, "custom-fields", definition)
        post(administrator, "custom-fields", {**definition, "name": f"{NOTE}_2", "is_searchable": False})
        keys = list(model._base_manager.order_by("pk").values_list("pk", flat=True)[:STEPS])
        model._base_manager.filter(pk__in=keys).update(custom_data={NOTE: NOTED})
    taught = SectionInstructor.objects.values("faculty").annotate(number=Count("pk")).order_by("-number", "faculty")
    Section.objects.filter(section_instructors__faculty=taught[0]["faculty"]).update(custom_data={NOTE: NOTED})
    Project.objects.filter(project_type="final_year").update(custom_data={NOTE: NOTED})


def let_programs_call(administrator: APIClient) -> None:
    """Open accounts for some programs, and give each a key."""
    expires_at = (timezone.now() + timedelta(days=30)).isoformat()
    for name in ("timetables", "library", "sis"):
        account = {"email": f"{name}@programs.example", "is_service": True}
        post(administrator, "users", account)
        user = rows(administrator, "users", email=account["email"])[0]["id"]
        post(administrator, "role-assignments", {"user": user, "role": "integration"})
        key = {"user": user, "name": name, "scopes": ["courses.view_course"], "expires_at": expires_at}
        post(administrator, "api-keys", key)
        post(administrator, "webhooks", {"url": f"https://{name}.example/", "topics": [SectionCancelled.name]})
    for section in Section.objects.order_by("pk")[:STEPS]:
        said = {"section_id": str(section.pk), "happened_at": expires_at}
        spread(cast("Offer", offer_named(SectionCancelled.name)), said, at=timezone.now())


def watch_doors(registrar: APIClient, administrator: APIClient, students: list[dict[str, Any]]) -> None:
    """Set readers up at some doors, give some students cards, and let a reader see them."""
    account = rows(administrator, "users", email="library@programs.example")[0]["id"]
    for number, room in enumerate(rows(registrar, "rooms")[:3]):
        reader = {"code": f"door-{number}", "name": "Door", "room": room["id"], "account": account}
        post(registrar, "attendance/readers", reader)
    for number, student in enumerate(students[:STEPS]):
        post(registrar, "attendance/credentials", {"student": student["id"], "credential": f"card {number}"})
    at = timezone.now()
    seen = [Seen(reader="door-0", external_event_id=str(number), credential=f"card {number}", at=at)
            for number in range(STEPS)]  # fmt: skip
    assert not any(each.refused for each in take_punches(seen, by=Reader.objects.get(code="door-0").account, at=at))


def ask_about_data(registrar: APIClient, students: list[dict[str, Any]]) -> None:
    """Hand some students what the records say about them, keep the records of some, and erase some who have left."""
    leavers = [student["id"] for student in students]
    for student in leavers:
        post(registrar, f"students/{student}/change-status", {"status": "withdrawn", "reason": "Moved abroad"})
    people = [registrar.get(f"/api/v1/students/{student}/").json()["data"]["person"] for student in leavers]
    for person in people:
        asked = {"person": person, "reason": "Asked by letter"}
        for resource in ("exports", "erasures", "holds"):
            post(registrar, f"privacy/{resource}", asked)


def bring_in_files(registrar: APIClient) -> None:
    """Upload files and see what they would do."""
    table = b"code,name\n" + b"".join(b"NEW-%d,Novelty %d\n" % (number, number) for number in range(STEPS))
    with TemporaryDirectory() as folder, override_settings(IMPORT_ROOT=folder):
        for name in ("first.csv", "second.csv"):
            form = {"kind": "departments", "file": SimpleUploadedFile(name, table)}
            answer = registrar.post("/api/v1/imports/", form, format="multipart")
            assert answer.status_code == 201, answer.content
            services.validate(UUID(answer.json()["data"]["id"]), by=None)


def take_away(registrar: APIClient) -> None:
    """Ask for tables of a term."""
    term = str(Term.objects.order_by("starts_on")[0].pk)
    for kind in ("records", "decisions"):
        post(registrar, "exports", {"kind": f"attendance_{kind}", "filters": {"term": term}})


def tell_everybody() -> None:
    """Tell everybody some things."""
    for number in range(STEPS):
        said = {"title": f"News {number}", "text": "There is a page about it.", "link": f"/news/{number}"}
        users = User.objects.values_list("pk", flat=True)
        notify(users=users, topic=SHORTAGE, **said, dedupe_key=f"news {number}", at=timezone.now())


def begin_projects(client: APIClient) -> None:
    """Begin some projects of each kind, and go on with some of them."""
    for number in range(STEPS):
        data = {"course_name": f"Structures {number}", "course_code": f"CIV-{number}", "teacher_name": "Novak"}
        study = {"goal_description": f"Read book {number}", "study_frequency": ("Daily", "Weekly")[number % 2]}
        dates = {"start_date": f"2026-10-{number + 1:02}", "end_date": "2027-01-31"}
        for body in (
            {"project_type": "school", "name": f"Bridges {number}", "school_data": data, **dates},
            {"project_type": "self_study", "name": f"Geometry {number}", "self_study_data": study},
        ):
            post(client, "projects", {**body, "is_draft": number % 3 == 0})
    for project in [each for each in rows(client, "projects") if not each["is_draft"]][:STEPS]:
        post(client, f"projects/{project['id']}/complete", {})
        for number in range(2):
            noted = {"title": f"Report {number}", "date": f"2026-12-{number + 1:02}", "description": "Ten pages."}
            post(client, f"projects/{project['id']}/important-dates", noted)


def keep_files(client: APIClient) -> None:
    """Upload files of some types; a student's record refers to one, and some are attached to projects."""
    letter = {"entity_type": "students.student", "name": "letter", "label": "Letter", "field_type": "file"}
    post(client, "custom-fields", letter)
    for number in range(STEPS):
        name = f"letter-{number}.{('txt', 'csv')[number % 2]}"
        answer = client.post(
            "/api/v1/files/", {"file": SimpleUploadedFile(name, b"a" * (number + 1))}, format="multipart"
        )
        assert answer.status_code == 201, answer.content
        post(client, "files/uploads", {"name": name, "size": number + 1})
    student, files = rows(client, "students")[0]["id"], [file["id"] for file in rows(client, "files")]
    patch(client, f"students/{student}", {"custom_fields": {"letter": files[0]}})
    for project in rows(client, "projects/school_projects")[:2]:
        for file in files[:3]:
            post(client, f"projects/{project['id']}/attachments", {"file": file})


def rows(client: APIClient, resource: str, **question: Any) -> list[dict[str, Any]]:
    """Return the first page of a list."""
    data: list[dict[str, Any]] = client.get(f"/api/v1/{resource}/", question).json()["data"]
    return data


def post(client: APIClient, path: str, body: dict[str, Any]) -> None:
    """Send a body, and insist on it."""
    answer = client.post(f"/api/v1/{path}/", body, format="json")
    assert answer.status_code in (200, 201, 202), (path, answer.content)


def patch(client: APIClient, path: str, body: dict[str, Any]) -> None:
    """Send a change, and insist on it."""
    answer = client.patch(f"/api/v1/{path}/", body, format="json")
    assert answer.status_code == 200, (path, answer.content)
