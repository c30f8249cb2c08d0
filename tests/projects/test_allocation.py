"""Topics are allocated as often as anybody asks, published once, and nobody takes more than they said."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from core.errors import DomainError
from core.models import OutboxEvent
from projects import services
from projects.models import (
    AllocationOutcome,
    AllocationRun,
    FinalYearProject,
    Project,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
)
from projects.services.allocation import even
from students.models import ProgramEnrollment
from tests.projects.allocating import (
    MEMBERS,
    OUTCOMES,
    RUNS,
    allocating,
    code_of,
    outcomes_of,
    publish,
    run,
    wanting,
)
from tests.projects.cycle_factories import (
    FinalYearProjectFactory,
    ProjectApplicationFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
    in_phase,
)
from tests.racing import at_once
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
PROJECTS = "/api/v1/projects/final_year_projects/"


@pytest.fixture
def year(user_with, client_for):
    return allocating(user_with, client_for)


def test_a_run_finds_out_who_would_get_what_and_makes_nothing(year):
    made = run(year)

    assert outcomes_of(year, made) == [0, 0, 1, None]
    assert (made["students_count"], made["placed_count"], made["first_choices_count"]) == (4, 3, 2)
    assert made["published_at"] is None
    assert not FinalYearProject.objects.exists()


def test_what_somebody_did_not_get_is_explained(year):
    made = run(year)
    last = AllocationOutcome.objects.get(run=made["id"], student=year.students[3])

    assert [(one["rank"], one["shortage"], one["places"], one["basis"]) for one in last.missed] == [
        (1, "topic_full", 2, "merit"),
        (2, "supervisor_full", 3, "merit"),
    ]
    assert all(set(one) == {"topic", "rank", "shortage", "places", "basis"} for one in last.missed)


def test_the_same_facts_come_to_the_same_outcomes(year):
    first, second = run(year), run(year, merits=year.merits[::-1])

    assert first["input_hash"] == second["input_hash"]
    assert outcomes_of(year, first) == outcomes_of(year, second)
    year.merits[3]["merit"] = "4"
    third = run(year)
    assert third["input_hash"] != first["input_hash"]
    assert outcomes_of(year, third) == [0, 1, None, 0]


def test_a_supervisor_takes_whom_they_want_first(year):
    ranking = {"supervisor": str(year.capacity.faculty_id), "students": [str(year.students[3].pk)]}

    assert outcomes_of(year, run(year, rankings=[ranking])) == [0, 1, None, 0]


def test_whoever_did_not_say_how_many_they_take_takes_nobody(year):
    SupervisorCapacity.objects.all().delete()

    made = run(year)

    assert outcomes_of(year, made) == [None] * 4
    outcome = AllocationOutcome.objects.filter(run=made["id"]).first()
    assert {one["basis"] for one in outcome.missed} == {"no_places"}


def test_who_does_a_project_already_takes_no_part_and_their_place_is_taken(year):
    project = FinalYearProjectFactory(
        cycle=year.cycle, supervisor=year.capacity.faculty, topic=year.topics[0], project__owner__email="o@example.org"
    )
    ProjectMemberFactory(project=project, student=year.students[0])

    made = run(year)

    rest = AllocationOutcome.objects.filter(run=made["id"])
    assert made["students_count"] == 3
    assert [rest.get(student=student).topic for student in year.students[1:]] == [*year.topics, None]


def test_who_has_left_the_program_takes_no_part(year):
    ProgramEnrollment.objects.filter(student=year.students[0]).update(status="withdrawn")

    made = run(year)

    assert made["students_count"] == 3
    assert not AllocationOutcome.objects.filter(run=made["id"], student=year.students[0]).exists()


def test_publishing_makes_projects_of_groups_and_tells_who_got_what(year):
    made = run(year)

    answer = publish(year, made)

    assert answer.status_code == 200, answer.json()
    assert answer.json()["data"]["published_at"] is not None
    projects = FinalYearProject.objects.order_by("code")
    prefix = f"P{year.cycle.academic_year.starts_on:%y}"
    assert [(one.code, one.topic, one.member_count) for one in projects] == [
        (f"{prefix}001", year.topics[0], 2),
        (f"{prefix}002", year.topics[1], 1),
    ]
    assert {one.project.owner.email for one in projects} == {"teacher@example.org"}
    assert {one.project.state for one in projects} == {"active"}
    year.capacity.refresh_from_db()
    assert year.capacity.used_count == 3
    event = OutboxEvent.objects.get(name="projects.allocation.published")
    assert (event.payload["projects"], event.payload["students"]) == (2, 3)


def test_publishing_twice_makes_nothing_more(year):
    made, another = run(year), run(year)
    publish(year, made)

    assert publish(year, made).status_code == 200
    assert FinalYearProject.objects.count() == 2
    assert code_of(publish(year, another)) == (409, "allocation_published")
    refused = year.planner.post(RUNS, {"cycle": str(year.cycle.pk)}, format="json")
    assert code_of(refused) == (409, "allocation_published")


def test_what_has_changed_since_is_not_published(year):
    made = run(year)
    SupervisorCapacity.objects.update(max_count=4)

    assert code_of(publish(year, made)) == (409, "allocation_outdated")
    assert not Project.objects.filter(project_type="final_year").exists()
    assert publish(year, run(year)).status_code == 200


@pytest.mark.parametrize("phase", ["topics", "preferences", "defences"])
def test_topics_are_allocated_once_preferences_are_closed(year, phase):
    made = run(year)
    ProjectCycle.objects.filter(pk=year.cycle.pk).update(**in_phase(phase))

    refused = year.planner.post(RUNS, {"cycle": str(year.cycle.pk)}, format="json")
    assert code_of(refused) == (409, "phase_not_open")
    assert code_of(publish(year, made)) == (409, "phase_not_open")


def test_students_see_their_own_outcome_and_project_once_it_is_published(year):
    ada, last = (year.client_of(year.students[place], f"s{place}@example.org") for place in (0, 3))
    made = run(year)
    assert ada.get(OUTCOMES).json()["data"] == []
    publish(year, made)

    (outcome,) = ada.get(OUTCOMES).json()["data"]
    assert (outcome["rank"], outcome["missed"]) == (1, [])
    (project,) = ada.get(PROJECTS).json()["data"]
    assert project["final_year_data"]["member_count"] == 2
    assert {row["student"]["id"] for row in ada.get(MEMBERS).json()["data"]} == {
        str(student.pk) for student in year.students[:2]
    }
    (missed,) = last.get(OUTCOMES).json()["data"]
    assert (missed["topic"], len(missed["missed"])) == (None, 2)
    assert last.get(PROJECTS).json()["data"] == []
    assert ada.get(RUNS).status_code == 403


def test_those_of_other_programs_neither_see_nor_publish(year):
    made = run(year)

    assert year.stranger.get(f"{RUNS}{made['id']}/").status_code == 404
    assert publish(year, made, year.stranger).status_code == 404
    asked = {"cycle": str(year.cycle.pk)}
    before = year.stranger.post(RUNS, asked, format="json").json()
    publish(year, made)
    after = year.stranger.post(RUNS, asked, format="json").json()
    assert (before["status"], before["errors"]) == (after["status"], after["errors"])
    assert (before["status"], before["errors"][0]["code"]) == (400, "does_not_exist")
    assert AllocationRun.objects.count() == 1


def test_a_project_takes_its_members_to_another_supervisor_who_has_room(year):
    publish(year, run(year))
    project = FinalYearProject.objects.get(topic=year.topics[0])
    roomy = SupervisorCapacityFactory(cycle=year.cycle, max_count=2)
    tight = SupervisorCapacityFactory(cycle=year.cycle, max_count=1)

    with pytest.raises(Exception, match="projects_supervisorcapacity_not_exceeded"), transaction.atomic():
        FinalYearProject.objects.filter(pk=project.pk).update(supervisor=tight.faculty)
    FinalYearProject.objects.filter(pk=project.pk).update(supervisor=roomy.faculty)

    used = {row.pk: row.used_count for row in SupervisorCapacity.objects.all()}
    assert used == {year.capacity.pk: 1, roomy.pk: 2, tight.pk: 0}


@pytest.mark.parametrize(
    ("count", "most", "sizes"), [(1, 2, [1]), (4, 2, [2, 2]), (5, 3, [3, 2]), (7, 3, [3, 2, 2]), (3, 1, [1, 1, 1])]
)
def test_groups_are_as_even_as_they_can_be(count, most, sizes):
    students = list(range(count))
    groups = even(students, most)

    assert [len(group) for group in groups] == sizes
    assert sorted(student for group in groups for student in group) == students


def test_codes_of_a_year_follow_one_another():
    cycle = ProjectCycleFactory(academic_year__starts_on="2024-09-01", academic_year__ends_on="2025-08-31")
    cycle.refresh_from_db()
    FinalYearProjectFactory(cycle=cycle, code="P24999")
    FinalYearProjectFactory(cycle=cycle, code="P23007")

    with transaction.atomic():
        assert services.next_codes(cycle, 2) == ["P241000", "P241001"]


@pytest.mark.django_db(transaction=True)
def test_the_last_place_of_a_supervisor_goes_to_one_of_those_who_are_equally_quick():
    cycle = ProjectCycleFactory(phase="work")
    supervisor = SupervisorCapacityFactory(cycle=cycle, max_count=1).faculty
    projects = [_empty_project(cycle, supervisor) for _ in range(2)]
    students = [ProgramEnrollmentFactory(program=cycle.program).student for _ in projects]

    came_of_it = at_once(
        *(
            lambda project=project, student=student: services.add_member(
                by=None, at=timezone.now(), project=project, student=student
            )
            for project, student in zip(projects, students, strict=True)
        )
    )

    assert sorted(isinstance(one, ProjectMember) for one in came_of_it) == [False, True]
    assert "quota_exceeded" in came_of_it
    assert SupervisorCapacity.objects.get().used_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_student_gets_into_one_of_two_projects_at_once():
    cycle = ProjectCycleFactory(phase="work")
    projects = [_empty_project(cycle, SupervisorCapacityFactory(cycle=cycle).faculty) for _ in range(2)]
    student = ProgramEnrollmentFactory(program=cycle.program).student

    came_of_it = at_once(
        *(
            lambda project=project: services.add_member(by=None, at=timezone.now(), project=project, student=student)
            for project in projects
        )
    )

    assert "already_in_project" in came_of_it
    assert ProjectMember.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_publish_at_once_publish_one_allocation(user_with):
    cycle = ProjectCycleFactory(phase="work")
    capacity = SupervisorCapacityFactory(cycle=cycle)
    topic = TopicFactory(cycle=cycle, supervisor=capacity.faculty)
    student = ProgramEnrollmentFactory(program=cycle.program).student
    TopicPreferenceFactory(application=ProjectApplicationFactory(cycle=cycle, student=student), topic=topic)
    planner = user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, cycle.program_id)
    now = timezone.now()
    runs = [services.run_allocation(by=planner, at=now, cycle=cycle) for _ in range(2)]

    came_of_it = at_once(*(lambda run=run: services.publish_allocation(run, by=planner, at=now) for run in runs))

    assert "allocation_published" in came_of_it
    assert FinalYearProject.objects.count() == 1


def _empty_project(cycle, supervisor):
    with transaction.atomic():
        return FinalYearProjectFactory(cycle=cycle, supervisor=supervisor)


def test_a_lowered_capacity_is_refused_below_what_is_taken(year):
    publish(year, run(year))
    year.capacity.refresh_from_db()

    with pytest.raises(DomainError) as refused:
        services.update_capacity(year.capacity, by=None, max_count=2)

    assert refused.value.error_code == "quota_exceeded"


def test_a_capacity_that_is_used_is_not_deleted_and_said_anew(year):
    publish(year, run(year))

    with pytest.raises(DomainError) as refused:
        services.delete_capacity(year.capacity, by=None)

    assert (refused.value.error_code, refused.value.meta) == ("in_use", {"used": 3})
    ProjectMember.objects.all().delete()
    services.delete_capacity(year.capacity, by=None)
    assert not SupervisorCapacity.objects.exists()


def test_a_run_asks_as_much_for_many_as_for_few(year, django_assert_max_num_queries):
    SupervisorCapacity.objects.update(max_count=40)
    year.topics += [TopicFactory(cycle=year.cycle, supervisor=year.capacity.faculty, places=2) for _ in range(20)]
    for number in range(4, 44):
        wanting(year, number // 2, (number // 2 + 5) % 22)

    with django_assert_max_num_queries(12):
        made = services.run_allocation(by=None, at=timezone.now(), cycle=year.cycle)

    assert made.placed_count == AllocationOutcome.objects.filter(run=made, topic__isnull=False).count() == 40


def test_many_groups_are_made_at_once(year):
    SupervisorCapacity.objects.update(max_count=40)
    year.topics += [TopicFactory(cycle=year.cycle, supervisor=year.capacity.faculty, places=3) for _ in range(20)]
    for number in range(4, 44):
        wanting(year, number // 2, (number // 2 + 5) % 22)
    made = services.run_allocation(by=None, at=timezone.now(), cycle=year.cycle)

    services.publish_allocation(made, by=year.planner_user, at=timezone.now())

    counted = ProjectMember.objects.filter(cycle=year.cycle).count()
    assert counted == made.placed_count == 40
    assert set(FinalYearProject.objects.values_list("member_count", flat=True)) <= {1, 2}
    year.capacity.refresh_from_db()
    assert year.capacity.used_count == 40
