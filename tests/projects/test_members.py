"""Who does a project is one of the program, while there is work to do, and takes no place that is taken."""

import pytest
from django.utils import timezone

from core import crud
from projects import services
from projects.models import FinalYearProject, ProjectCycle, ProjectMember, SupervisorCapacity, Topic
from students.models import ProgramEnrollment
from tests.projects.allocating import MEMBERS, allocating, code_of, publish, run
from tests.projects.cycle_factories import (
    FinalYearProjectFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    in_phase,
)
from tests.racing import at_once, while_uncommitted
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
TOPICS = "/api/v1/topics/"


@pytest.fixture
def year(user_with, client_for):
    """A cycle whose topics are allocated: two students have the first, one the second, and one none."""
    year = allocating(user_with, client_for)
    publish(year, run(year))
    return year


def projects_of(year):
    return [FinalYearProject.objects.get(topic=topic) for topic in year.topics]


def join(year, project, student):
    return year.planner.post(MEMBERS, {"project": str(project.pk), "student": str(student.pk)}, format="json")


def change(year, member, **changes):
    return year.planner.patch(f"{MEMBERS}{member.pk}/", changes, format="json")


def set_phase(year, phase):
    ProjectCycle.objects.filter(pk=year.cycle.pk).update(**in_phase(phase))


def newcomer(year):
    return ProgramEnrollmentFactory(program=year.cycle.program).student


def test_a_topic_takes_no_more_than_it_has_places(year):
    SupervisorCapacity.objects.update(max_count=9)
    Topic.objects.filter(pk=year.topics[1].pk).update(places=1)
    project = projects_of(year)[1]

    assert code_of(join(year, project, year.students[3])) == (409, "topic_full")
    (member,) = ProjectMember.objects.filter(project=project)
    assert change(year, member, is_active=False).status_code == 200
    assert join(year, project, year.students[3]).status_code == 201
    assert code_of(change(year, member, is_active=True)) == (409, "topic_full")
    assert year.planner.get(f"{TOPICS}{year.topics[1].pk}/").json()["data"]["taken_count"] == 1


def test_a_topic_may_be_for_more_once_it_is_allocated_and_not_for_fewer_than_have_it(year):
    path = f"{TOPICS}{year.topics[0].pk}/"

    assert year.planner.patch(path, {"places": 3}, format="json").json()["data"]["places"] == 3
    assert code_of(year.planner.patch(path, {"places": 1}, format="json")) == (409, "topic_full")
    mixed = {"places": 4, "title_en": "Anew"}
    assert code_of(year.planner.patch(path, mixed, format="json")) == (409, "phase_not_open")
    set_phase(year, "over")
    assert code_of(year.planner.patch(path, {"places": 4}, format="json")) == (409, "phase_not_open")


def test_a_member_who_leaves_frees_a_place_and_may_not_come_back_to_a_full_one(year):
    (member, other) = ProjectMember.objects.filter(project__topic=year.topics[0]).order_by("pk")
    path = f"{MEMBERS}{member.pk}/"

    assert year.planner.patch(path, {"is_active": False}, format="json").status_code == 200
    year.capacity.refresh_from_db()
    assert year.capacity.used_count == 2
    body = {"project": str(member.project_id), "student": str(year.students[3].pk)}
    assert year.planner.post(MEMBERS, body, format="json").status_code == 201
    assert code_of(year.planner.patch(path, {"is_active": True}, format="json")) == (409, "quota_exceeded")
    again = {"project": str(member.project_id), "student": str(other.student_id)}
    assert code_of(year.planner.post(MEMBERS, again, format="json")) == (409, "already_in_project")
    patched = year.planner.patch(f"{MEMBERS}{other.pk}/", {"contribution": "60.00"}, format="json")
    assert patched.json()["data"]["contribution"] == "60.00"


def test_a_group_takes_no_more_than_the_cycle_allows(year):
    SupervisorCapacity.objects.update(max_count=9)
    Topic.objects.update(places=9)

    assert code_of(join(year, projects_of(year)[0], newcomer(year))) == (409, "group_full")


@pytest.mark.parametrize("phase", ["planned", "topics", "preferences", "defences", "over"])
def test_nobody_joins_or_comes_back_but_while_there_is_work_to_do(year, phase):
    (member, _) = ProjectMember.objects.filter(project__topic=year.topics[0])
    change(year, member, is_active=False)
    set_phase(year, phase)

    assert code_of(join(year, member.project, year.students[3])) == (409, "phase_not_open")
    assert code_of(change(year, member, is_active=True)) == (409, "phase_not_open")
    assert ProjectMember.objects.active().count() == 2


@pytest.mark.parametrize(("phase", "status"), [("preferences", 409), ("work", 200), ("defences", 200), ("over", 409)])
def test_work_is_shared_out_and_left_until_the_cycle_is_over(year, phase, status):
    (member, other) = ProjectMember.objects.filter(project__topic=year.topics[0])
    set_phase(year, phase)

    assert change(year, member, contribution="40.00").status_code == status
    assert change(year, other, is_active=False).status_code == status


def test_who_is_not_in_the_program_neither_joins_nor_comes_back(year):
    member = ProjectMember.objects.get(project__topic=year.topics[1])
    stranger = ProgramEnrollmentFactory().student
    assert code_of(join(year, member.project, year.students[3])) == (409, "quota_exceeded")
    change(year, member, is_active=False)
    ProgramEnrollment.objects.filter(student=member.student).update(status="withdrawn")

    assert code_of(change(year, member, is_active=True)) == (400, "not_in_program")
    with pytest.raises(services.NotInProgramError):
        services.add_member(by=None, at=timezone.now(), project=member.project, student=stranger)
    assert change(year, member, contribution="10.00").status_code == 200


def test_a_group_has_done_the_whole_of_the_work_at_most(year):
    (member, other) = ProjectMember.objects.filter(project__topic=year.topics[0])

    assert change(year, member, contribution="60.00").status_code == 200
    assert code_of(change(year, other, contribution="40.01")) == (409, "contributions_exceeded")
    assert change(year, other, contribution="40.00").status_code == 200
    emptied = change(year, member, contribution=None)
    assert emptied.json()["data"]["contribution"] is None


def test_a_capacity_that_is_used_stays_however_it_is_asked(year):
    path = f"/api/v1/supervisor-capacities/{year.capacity.pk}/"

    assert code_of(year.planner.delete(path)) == (409, "in_use")
    ProjectMember.objects.update(is_active=False)
    assert year.planner.delete(path).status_code == 204


@pytest.fixture
def free():
    """A cycle with two empty projects of one topic, whose supervisor takes one student, and three to do them."""
    cycle = ProjectCycleFactory(phase="work")
    capacity = SupervisorCapacityFactory(cycle=cycle, max_count=1)
    topic = TopicFactory(cycle=cycle, supervisor=capacity.faculty, places=1)
    return [FinalYearProjectFactory(cycle=cycle, supervisor=capacity.faculty, topic=topic) for _ in range(2)]


def joining(project):
    student = ProgramEnrollmentFactory(program=project.cycle.program).student
    return lambda: services.add_member(by=None, at=timezone.now(), project=project, student=student)


@pytest.mark.django_db(transaction=True)
def test_the_last_place_of_a_topic_goes_to_one_of_those_who_are_equally_quick(free):
    SupervisorCapacity.objects.update(max_count=9)

    came_of_it = at_once(*map(joining, free))

    assert sorted(isinstance(one, ProjectMember) for one in came_of_it) == [False, True]
    assert "topic_full" in came_of_it
    assert Topic.objects.get().taken_count == 1


@pytest.mark.django_db(transaction=True)
def test_the_last_place_of_a_group_goes_to_one_of_those_who_are_equally_quick(free):
    SupervisorCapacity.objects.update(max_count=9)
    Topic.objects.update(places=9)
    ProjectCycle.objects.update(max_group_size=1)

    came_of_it = at_once(joining(free[0]), joining(free[0]))

    assert "group_full" in came_of_it
    assert FinalYearProject.objects.get(pk=free[0].pk).member_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_capacity_is_not_lost_under_somebody_who_takes_it(free):
    capacity = SupervisorCapacity.objects.get()

    refused = while_uncommitted(joining(free[0]), lambda: crud.delete(capacity))

    assert refused == "in_use"
    assert SupervisorCapacity.objects.get().used_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_capacity_is_not_lowered_under_somebody_who_takes_it(free):
    capacity = SupervisorCapacity.objects.get()

    refused = while_uncommitted(joining(free[0]), lambda: services.update_capacity(capacity, by=None, max_count=0))

    assert refused == "quota_exceeded"


@pytest.mark.django_db(transaction=True)
def test_groups_are_not_made_smaller_under_somebody_who_joins_one(free):
    cycle = free[0].cycle
    SupervisorCapacity.objects.update(max_count=9)
    Topic.objects.update(places=9)
    joining(free[0])()

    refused = while_uncommitted(
        joining(free[0]), lambda: services.update_cycle(cycle, by=None, at=timezone.now(), max_group_size=1)
    )

    assert refused == "groups_larger"


@pytest.mark.django_db(transaction=True)
def test_who_moves_a_project_and_who_leaves_it_do_not_wait_for_each_other(free, user_with, client_for):
    year = allocating(user_with, client_for)
    project = FinalYearProjectFactory(cycle=year.cycle, supervisor=year.capacity.faculty)
    member = ProjectMemberFactory(project=project)
    rows = FinalYearProject.objects.filter(pk=project.pk)
    other = SupervisorCapacityFactory(cycle=year.cycle).faculty

    answer = while_uncommitted(
        lambda: rows.select_for_update().get(),
        lambda: change(year, member, is_active=False).status_code,
        lambda: rows.update(supervisor=other),
    )

    assert answer == 200
    assert set(SupervisorCapacity.objects.values_list("used_count", flat=True)) == {0}
