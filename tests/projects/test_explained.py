"""Whoever an allocation is about learns what it came to and by what, and others no more of it than they need."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import events
from core.models import CustomField
from notifications.models import Notification
from projects import services
from projects.models import (
    AllocationRun,
    FinalYearProject,
    Project,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
)
from projects.services.telling import tell_of_allocation
from tests.projects.allocating import MEMBERS, OUTCOMES, RUNS, allocating, code_of, publish, run, wanting
from tests.projects.cycle_factories import ProjectCycleFactory, SupervisorCapacityFactory, TopicFactory

pytestmark = pytest.mark.django_db
PROJECTS = "/api/v1/projects/final_year_projects/"


@pytest.fixture
def year(user_with, client_for):
    return allocating(user_with, client_for)


def publishing(groups, by):
    """Return how many questions it takes to publish an allocation that comes to so many groups of one."""
    cycle = ProjectCycleFactory(phase="work", max_group_size=1)
    supervisor = SupervisorCapacityFactory(cycle=cycle, max_count=groups).faculty
    topics = [TopicFactory(cycle=cycle, supervisor=supervisor) for _ in range(groups)]
    for place in range(groups):
        wanting(SimpleNamespace(cycle=cycle, topics=topics, merits=[]), place)
    made = AllocationRun.objects.get(pk=services.run_allocation(by=None, at=timezone.now(), cycle=cycle).pk)
    with CaptureQueriesContext(connection) as asked:
        services.publish_allocation(made, by=by, at=timezone.now())
    assert FinalYearProject.objects.filter(cycle=cycle, member_count=1).count() == groups
    return len(asked)


def test_many_groups_are_made_by_as_few_questions_as_one(year):
    # What is remembered from the first time is asked for once.
    _, few, many = (publishing(groups, year.planner_user) for groups in (1, 1, 40))

    assert many == few <= 30


def test_what_is_to_be_filled_in_of_projects_stops_no_allocation(year):
    required = {"entity_type": "projects.project", "field_type": "text", "required": True}
    CustomField.objects.create(name="room", label="Room", **required)
    CustomField.objects.create(name="language", label="Language", default_value="en", **required)

    assert publish(year, run(year)).status_code == 200
    held = Project.objects.filter(project_type="final_year").values_list("custom_data", flat=True)
    assert list(held) == [{"language": "en"}] * 2


def test_groups_that_are_smaller_than_the_cycle_would_like_are_counted(year):
    ProjectCycle.objects.update(min_group_size=2)

    made = run(year)

    assert made["small_groups_count"] == 1
    ProjectCycle.objects.update(max_group_size=3)
    assert code_of(publish(year, made)) == (409, "allocation_outdated")


def test_nobody_is_named_twice(year):
    student, supervisor = str(year.students[0].pk), str(year.capacity.faculty_id)
    ranking = {"supervisor": supervisor, "students": [student, str(year.students[1].pk), student]}
    body = {
        "cycle": str(year.cycle.pk),
        "merits": [*year.merits, {"student": student, "merit": "1"}],
        "rankings": [ranking, {"supervisor": supervisor, "students": []}],
    }

    refused = year.planner.post(RUNS, body, format="json").json()

    assert [(each["field"], each["code"]) for each in refused["errors"]] == [
        ("merits.4.student", "named_twice"),
        ("rankings.1.supervisor", "named_twice"),
        ("rankings.0.students.2", "named_twice"),
    ]
    assert not AllocationRun.objects.exists()


def test_who_was_named_and_takes_no_part_is_counted(year):
    stranger = str(ProjectCycleFactory().pk)
    year.merits.append({"student": stranger, "merit": "4"})

    assert run(year)["passed_over_count"] == 1
    assert run(year, rankings=[{"supervisor": stranger, "students": [stranger]}])["passed_over_count"] == 1
    year.merits.pop()
    assert run(year)["passed_over_count"] == 0


def test_students_learn_by_which_merit_they_got_what_they_got(year):
    ada = year.client_of(year.students[0], "ada@example.org")
    publish(year, run(year))

    (outcome,) = ada.get(OUTCOMES).json()["data"]
    assert outcome["merit"] == "3.9000"


def test_students_and_supervisors_are_told_once_that_topics_are_allocated(year, user_with, client_for):
    year.client_of(year.students[0], "ada@example.org")
    year.client_of(year.students[3], "eve@example.org")
    publish(year, run(year))
    made = AllocationRun.objects.get()

    assert [tell_of_allocation(made.pk, at=timezone.now()) for _ in range(2)] == [3, 0]
    told = Notification.objects.values_list("recipient__email", "topic", "title").order_by("recipient__email")
    assert list(told) == [
        ("ada@example.org", "projects.allocation", f"You have a topic: {year.cycle}"),
        ("eve@example.org", "projects.allocation", f"You have no topic: {year.cycle}"),
        ("teacher@example.org", "projects.supervision", f"Topics of yours are allocated: {year.cycle}"),
    ]
    assert events.subscribers_of("projects.allocation.published")


def test_nobody_is_told_of_what_is_not_published(year):
    assert tell_of_allocation(AllocationRun.objects.get(pk=run(year)["id"]).pk, at=timezone.now()) == 0


def test_who_has_left_a_group_sees_themselves_and_not_who_does_it_now(year):
    ada, bob = (year.client_of(year.students[place], f"s{place}@example.org") for place in (0, 1))
    publish(year, run(year))
    ProjectMember.objects.filter(student__in=year.students[:2]).update(contribution=30)
    mine = ProjectMember.objects.get(student=year.students[0])
    assert len(bob.get(MEMBERS).json()["data"]) == len(ada.get(MEMBERS).json()["data"]) == 2

    year.planner.patch(f"{MEMBERS}{mine.pk}/", {"is_active": False}, format="json")

    assert [row["id"] for row in ada.get(MEMBERS).json()["data"]] == [str(mine.pk)]
    assert len(bob.get(MEMBERS).json()["data"]) == 2
    assert len(ada.get(PROJECTS).json()["data"]) == 1


def test_how_much_of_the_work_is_whose_is_told_to_them_and_to_those_who_judge_it(year, client_for):
    ada = year.client_of(year.students[0], "ada@example.org")
    publish(year, run(year))
    ProjectMember.objects.filter(student__in=year.students[:2]).update(contribution=30)
    owner = FinalYearProject.objects.first().project.owner

    def told(client):
        rows = client.get(f"{MEMBERS}?project={ProjectMember.objects.get(student=year.students[0]).project_id}")
        return {row["student"]["id"]: row["contribution"] for row in rows.json()["data"]}

    first, second = (str(student.pk) for student in year.students[:2])
    assert told(ada) == {first: "30.00", second: None}
    assert told(year.planner) == told(client_for(owner)) == {first: "30.00", second: "30.00"}


def test_a_number_of_examiners_is_not_taken(year):
    of = {"cycle": str(year.cycle.pk), "faculty": str(SupervisorCapacityFactory().faculty_id), "max_count": 3}
    path = "/api/v1/supervisor-capacities/"

    refused = year.planner.post(path, {**of, "role": "second"}, format="json")
    assert code_of(refused) == (400, "invalid_choice")
    assert year.planner.post(path, {**of, "role": "supervisor"}, format="json").status_code == 201


@pytest.mark.parametrize("model", [ProjectApplication, ProjectCycle, ProjectMember, SupervisorCapacity])
def test_lists_are_read_by_an_index(model):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = model.objects.order_by("-created_at", "-id").values("pk")[:25].explain()

    assert "Index" in plan
    assert "Sort" not in plan
