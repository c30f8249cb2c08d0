"""What happens at a university with final projects, so that no list of them stays empty: all of it through the API."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone
from rest_framework.test import APIClient

from departments.models import AcademicYear
from faculty.models import Faculty
from projects.models import FinalYearProject
from projects.services import write_log_entry
from students.models import ProgramEnrollment

DAY = timedelta(days=1)
SOME = 4


def plan_final_projects(client: APIClient) -> None:
    """Offer topics in some cycles, and allocate those of one of them, which some students wanted."""
    live = ProgramEnrollment.objects.live()
    programs = live.values("program").annotate(number=Count("pk")).order_by("-number", "program")[:2]
    year = AcademicYear.objects.earliest("starts_on")
    teachers = Faculty.objects.filter(status="active").order_by("pk")[:SOME]
    now = timezone.now()
    for number, program in enumerate(programs):
        cycle = _send(client, "project-cycles", {
            "program": str(program["program"]), "academic_year": str(year.pk), "name": f"Final projects {number}",
            "topics_open_at": now - 2 * DAY, "preferences_open_at": now - DAY, "preferences_close_at": now + DAY,
            "defences_open_at": now + 2 * DAY, "ends_at": now + 3 * DAY,
        })  # fmt: skip
        topics = []
        for teacher in teachers:
            of_teacher = {"cycle": cycle["id"], "supervisor": str(teacher.pk), "title_local": f"Arbeit {teacher.pk}"}
            topics.append(
                _send(client, "topics", {**of_teacher, "title_en": "Work", "description": "To be done."})["id"]
            )
            capacity = {"cycle": cycle["id"], "faculty": str(teacher.pk), "max_count": number + 1}
            _send(client, "supervisor-capacities", capacity)
        for enrolled in live.filter(program=program["program"]).order_by("pk")[:SOME]:
            wish = {"cycle": cycle["id"], "student": str(enrolled.student_id), "topics": topics[::-1][: number + 2]}
            _send(client, "project-applications", wish)
    closed = {"preferences_close_at": timezone.now()}
    answer = client.patch(f"/api/v1/project-cycles/{cycle['id']}/", closed, format="json")
    assert answer.status_code == 200, answer.content
    first, _second = (_send(client, "project-allocations", {"cycle": cycle["id"]}) for _ in range(2))
    _send(client, f"project-allocations/{first['id']}/publish", {})
    _let_things_be_due(client, cycle["id"], now)


def _let_things_be_due(client: APIClient, cycle: str, now: datetime) -> None:
    """Plan what is due in the projects of a cycle, let some of it be reached, and ask for more time."""
    for number in range(2):
        body = {"cycle": cycle, "kind": "draft", "title": f"Part {number}", "due_at": now + DAY, "weight": "10.00"}
        plan = _send(client, "planned-milestones", body)
        _send(client, f"planned-milestones/{plan['id']}/apply", {})
    for number, milestone in enumerate(client.get("/api/v1/milestones/").json()["data"]):
        if number % 2:
            _send(client, f"milestones/{milestone['id']}/submit", {})
        else:
            wish = {"milestone": milestone["id"], "until": now + 2 * DAY, "reason": "The library is closed."}
            _send(client, "extension-requests", wish)
    # Whoever does a project writes it, or supervises it, and none of them is here.
    for project in FinalYearProject.objects.filter(cycle=cycle):
        write_log_entry(by=None, at=now, project=project, met_at=now - DAY, minutes=30, summary="What to read next.")


def _send(client: APIClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/v1/{path}/", body, format="json")
    assert answer.status_code in (200, 201), (path, answer.content)
    data: dict[str, Any] = answer.json()["data"]
    return data
