"""What an allocation rests on stays as it was, whoever takes part decides nothing, and nothing comes in between."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from projects import services
from projects.models import AllocationRun, ProjectApplication, ProjectCycle
from tests.faculty.factories import FacultyFactory
from tests.projects.allocating import allocating, code_of, publish, run
from tests.projects.cycle_factories import (
    DAY,
    FinalYearProjectFactory,
    in_phase,
)
from tests.racing import while_uncommitted
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
CYCLES, TOPICS = "/api/v1/project-cycles/", "/api/v1/topics/"
CAPACITIES, APPLICATIONS = "/api/v1/supervisor-capacities/", "/api/v1/project-applications/"


@pytest.fixture
def year(user_with, client_for):
    return allocating(user_with, client_for)


def replan(year, **changes):
    return year.planner.patch(f"{CYCLES}{year.cycle.pk}/", changes, format="json")


@pytest.mark.parametrize("instant", ["topics_open_at", "preferences_open_at", "preferences_close_at"])
def test_what_is_allocated_is_not_asked_about_again(year, instant):
    moved = {instant: (getattr(year.cycle, instant) - timedelta(hours=1)).isoformat()}
    assert replan(year, **moved).status_code == 200
    publish(year, run(year))

    moved = {instant: (getattr(year.cycle, instant) - timedelta(hours=2)).isoformat()}
    assert code_of(replan(year, **moved)) == (409, "allocation_published")
    later = {"defences_open_at": year.cycle.defences_open_at + timedelta(hours=1), "name": "Anew"}
    assert replan(year, **later).status_code == 200


def test_preferences_may_be_open_again_until_they_are_allocated(year):
    assert replan(year, preferences_close_at=timezone.now() + DAY).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"pass_mark": "65.00"}, {"conditional_pass_mark": "50.00"}, {"defences_open_at": timezone.now() + DAY}]
)
def test_by_what_projects_pass_is_final_once_they_are_defended(year, changes):
    assert replan(year, **changes).status_code == 200
    ProjectCycle.objects.filter(pk=year.cycle.pk).update(**in_phase("defences"), pass_mark=70, conditional_pass_mark=60)

    assert code_of(replan(year, **changes)) == (409, "phase_not_open")
    assert replan(year, pass_mark="70.00", name="Anew").status_code == 200


def test_groups_are_allowed_to_be_as_large_as_they_are(year):
    publish(year, run(year))

    assert code_of(replan(year, max_group_size=1)) == (409, "groups_larger")
    assert replan(year, max_group_size=3).status_code == 200


@pytest.fixture
def concerned(year, user_with, client_for):
    """Somebody who plans a cycle in which they want a topic."""
    return client_for(
        user_with(
            Role.PROGRAM_COORDINATOR,
            ScopeKind.PROGRAM,
            year.cycle.program_id,
            person=year.students[0].person,
            email="both@example.org",
        )
    )


@pytest.mark.parametrize("as_member", [False, True])
def test_whoever_takes_part_in_a_cycle_changes_none_of_its_rules(year, concerned, as_member):
    if as_member:
        publish(year, run(year))
        ProjectApplication.objects.all().delete()
    else:
        ProjectCycle.objects.update(**in_phase("preferences"))
    cycle, topic = f"{CYCLES}{year.cycle.pk}/", f"{TOPICS}{year.topics[0].pk}/"
    of_cycle = {"cycle": str(year.cycle.pk)}

    answers = [
        concerned.patch(cycle, {"pass_mark": "61.00"}, format="json"),
        concerned.patch(topic, {"places": 3}, format="json"),
        concerned.post(CAPACITIES, {**of_cycle, "faculty": str(FacultyFactory().pk), "max_count": 1}, format="json"),
        concerned.patch(f"{CAPACITIES}{year.capacity.pk}/", {"max_count": 9}, format="json"),
        concerned.delete(f"{CAPACITIES}{year.capacity.pk}/"),
        concerned.delete(topic),
        concerned.post(
            TOPICS, {**of_cycle, "supervisor": str(year.capacity.faculty_id), "title_local": "Mine"}, format="json"
        ),
    ]

    assert {code_of(answer) for answer in answers} == {(403, "self_approval")}


def test_what_is_wanted_is_told_to_who_plans_the_cycle_and_not_the_program_beside_it(year, user_with, client_for):
    beside = ProgramEnrollmentFactory(student=year.students[0]).program_id
    other = client_for(user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, beside, email="beside@example.org"))
    ProjectCycle.objects.update(**in_phase("preferences"))
    path = f"{APPLICATIONS}{ProjectApplication.objects.get(student=year.students[0]).pk}/"
    wish = {"topics": [str(year.topics[1].pk)]}

    assert other.get(APPLICATIONS).json()["data"] == []
    assert [each.status_code for each in (other.get(path), other.patch(path, wish, format="json"))] == [404, 404]
    assert other.delete(path).status_code == 404
    assert year.planner.patch(path, wish, format="json").status_code == 200


def before_closing(cycle):
    """Return an instant at which preferences were open."""
    return cycle.preferences_close_at - timedelta(seconds=1)


def wishing(year):
    student = ProgramEnrollmentFactory(program=year.cycle.program).student
    return lambda: services.apply_for_topics(
        by=None, at=before_closing(year.cycle), cycle=year.cycle, student=student, topics=year.topics
    )


def reranking(year):
    application = ProjectApplication.objects.get(student=year.students[0])
    topics = year.topics[::-1]
    return lambda: services.rank_topics(application, by=None, at=before_closing(year.cycle), topics=topics)


def withdrawing(year):
    application = ProjectApplication.objects.get(student=year.students[0])
    return lambda: services.withdraw_application(application, by=None, at=before_closing(year.cycle))


def joining(year):
    project = FinalYearProjectFactory(cycle=year.cycle, supervisor=year.capacity.faculty)
    return lambda: services.add_member(by=None, at=timezone.now(), project=project, student=year.students[3])


def reoffering(year):
    topic = year.topics[0]
    return lambda: services.update_topic(topic, by=None, at=before_closing(year.cycle), title_local="Anew")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [wishing, reranking, withdrawing, reoffering])
def test_who_was_late_by_a_moment_hears_that_topics_are_allocated(year, act):
    made = AllocationRun.objects.get(pk=run(year)["id"])
    late = act(year)

    refused = while_uncommitted(
        lambda: services.publish_allocation(made, by=year.planner_user, at=timezone.now()), late
    )

    assert refused == "allocation_published"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [wishing, reranking, withdrawing, joining])
def test_what_was_said_in_time_is_allocated_by(year, act):
    made = AllocationRun.objects.get(pk=run(year)["id"])
    in_time = act(year)

    refused = while_uncommitted(
        in_time, lambda: services.publish_allocation(made, by=year.planner_user, at=timezone.now())
    )

    assert refused == "allocation_outdated"
    assert not AllocationRun.objects.published().exists()


@pytest.mark.django_db(transaction=True)
def test_who_changes_a_topic_and_who_allocates_it_do_not_wait_for_each_other(year):
    made = AllocationRun.objects.get(pk=run(year)["id"])
    path = f"{TOPICS}{year.topics[0].pk}/"
    cycles = ProjectCycle.objects.filter(pk=year.cycle.pk)

    answer = while_uncommitted(
        lambda: cycles.select_for_update(no_key=True).get(),
        lambda: year.planner.patch(path, {"places": 3}, format="json").status_code,
        lambda: services.publish_allocation(made, by=year.planner_user, at=timezone.now()),
    )

    assert answer == 200
