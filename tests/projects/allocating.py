"""A cycle whose topics are to be allocated, with who plans it and who wants what."""

from types import SimpleNamespace

from accounts.roles import Role, ScopeKind
from tests.projects.cycle_factories import (
    ProjectApplicationFactory,
    ProjectCycleFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
)
from tests.students.factories import ProgramEnrollmentFactory

RUNS, OUTCOMES, MEMBERS = "/api/v1/project-allocations/", "/api/v1/allocation-outcomes/", "/api/v1/project-members/"


def wanting(year, *places, merit=None):
    """Let somebody of the program want these topics, best first."""
    student = ProgramEnrollmentFactory(program=year.cycle.program, is_primary=True).student
    application = ProjectApplicationFactory(cycle=year.cycle, student=student)
    for rank, place in enumerate(places, start=1):
        TopicPreferenceFactory(application=application, topic=year.topics[place], rank=rank)
    year.merits.append({"student": str(student.pk), "merit": str(merit or 0)})
    return student


def allocating(user_with, client_for):
    """Return a cycle whose preferences are closed: two topics of two places each, of one supervisor who takes three."""
    cycle = ProjectCycleFactory(phase="work", max_group_size=2)
    capacity = SupervisorCapacityFactory(cycle=cycle, max_count=3)
    user_with(Role.FACULTY, ScopeKind.SELF, person=capacity.faculty.person, email="teacher@example.org")
    planner = user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, cycle.program_id)
    year = SimpleNamespace(
        cycle=cycle,
        planner_user=planner,
        capacity=capacity,
        topics=[TopicFactory(cycle=cycle, supervisor=capacity.faculty, places=2) for _ in range(2)],
        merits=[],
        planner=client_for(planner),
        client_of=lambda student, email: client_for(
            user_with(Role.STUDENT, ScopeKind.SELF, person=student.person, email=email)
        ),
        stranger=client_for(
            user_with(
                Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, ProjectCycleFactory().program_id, email="x@example.org"
            )
        ),
    )
    year.students = [wanting(year, 0, 1, merit=merit) for merit in ("3.9", "3.5", "3.1", "2.7")]
    return year


def run(year, **more):
    answer = year.planner.post(RUNS, {"cycle": str(year.cycle.pk), "merits": year.merits, **more}, format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"]


def publish(year, made, client=None):
    return (client or year.planner).post(f"{RUNS}{made['id']}/publish/", {}, format="json")


def outcomes_of(year, made):
    rows = year.planner.get(f"{OUTCOMES}?run={made['id']}").json()["data"]
    topics = {str(topic.pk): place for place, topic in enumerate(year.topics)}
    found = {row["student"]["id"]: row["topic"] and topics[row["topic"]["id"]] for row in rows}
    return [found[str(student.pk)] for student in year.students]


def code_of(answer):
    return answer.status_code, answer.json()["code"]
