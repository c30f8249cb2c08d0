"""Cycles over HTTP: planned by those in charge, filled by supervisors, and asked of by students while that is open."""

from types import SimpleNamespace

import pytest

from accounts.roles import Role, ScopeKind
from audit.models import Disclosure
from projects.models import CyclePhase, ProjectApplication, ProjectCycle, SupervisorCapacity, Topic, TopicPreference
from tests.departments.factories import AcademicYearFactory, ProgramFactory
from tests.faculty.factories import FacultyFactory
from tests.projects.cycle_factories import (
    BEGINS,
    ProjectApplicationFactory,
    ProjectCycleFactory,
    TopicFactory,
    TopicPreferenceFactory,
    in_phase,
)
from tests.students.factories import ProgramEnrollmentFactory

pytestmark = pytest.mark.django_db
CYCLES, TOPICS = "/api/v1/project-cycles/", "/api/v1/topics/"
CAPACITIES, APPLICATIONS = "/api/v1/supervisor-capacities/", "/api/v1/project-applications/"


@pytest.fixture
def year(user_with, client_for):
    """A cycle in which students say what they prefer, who plans it, Ada, who is to ask, and a supervisor."""
    cycle = ProjectCycleFactory()
    enrolled = ProgramEnrollmentFactory(program=cycle.program, is_primary=True)
    ada, teacher = enrolled.student, FacultyFactory()
    planner = user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, cycle.program_id)
    return SimpleNamespace(
        cycle=cycle,
        student=ada,
        faculty=teacher,
        topics=[TopicFactory(cycle=cycle, supervisor=teacher) for _ in range(3)],
        planner=client_for(planner),
        ada=client_for(user_with(Role.STUDENT, ScopeKind.SELF, person=ada.person)),
        teacher=client_for(user_with(Role.FACULTY, ScopeKind.SELF, person=teacher.person)),
        stranger=client_for(
            user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, ProgramFactory().pk, email="x@example.org")
        ),
    )


def set_phase(cycle, phase):
    ProjectCycle.objects.filter(pk=cycle.pk).update(**in_phase(phase))


def plan(year, **more):
    return {
        "program": str(year.cycle.program_id), "academic_year": str(AcademicYearFactory().pk), "name": "Next year",
        **{name: at.isoformat() for name, at in in_phase("planned").items()}, **more,
    }  # fmt: skip


def asking(year, *places):
    return {
        "cycle": str(year.cycle.pk), "student": str(year.student.pk),
        "topics": [str(year.topics[place].pk) for place in places],
    }  # fmt: skip


def code_of(answer):
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("phase", BEGINS)
def test_a_cycle_is_in_one_phase_after_the_other(phase):
    cycle = ProjectCycleFactory.build(**in_phase(phase))

    assert cycle.phase(min(in_phase(phase).values()).now(tz=cycle.ends_at.tzinfo)) == CyclePhase(phase)


def test_who_answers_for_a_program_plans_its_cycles(year):
    made = year.planner.post(CYCLES, plan(year), format="json")

    assert made.status_code == 201, made.json()
    data = made.json()["data"]
    assert (data["pass_mark"], data["conditional_pass_mark"], data["max_group_size"]) == ("70.00", "60.00", 2)
    assert year.stranger.post(CYCLES, plan(year), format="json").status_code == 403
    assert year.ada.post(CYCLES, plan(year), format="json").status_code == 403
    assert {row["id"] for row in year.ada.get(CYCLES).json()["data"]} == {data["id"], str(year.cycle.pk)}


def test_a_cycle_takes_its_phases_in_turn(year):
    refused = year.planner.post(CYCLES, plan(year, ends_at="2020-01-01T00:00:00Z"), format="json")

    assert code_of(refused) == (400, "phases_out_of_turn")


def test_a_cycle_that_is_used_stays(year):
    assert code_of(year.planner.delete(f"{CYCLES}{year.cycle.pk}/")) == (409, "in_use")
    assert year.planner.patch(f"{CYCLES}{year.cycle.pk}/", {"name": "Anew"}, format="json").status_code == 200


def test_supervisors_offer_topics_of_their_own(year):
    topic = {"cycle": str(year.cycle.pk), "supervisor": str(year.faculty.pk), "title_local": "Brücken aus Papier"}

    made = year.teacher.post(TOPICS, topic, format="json")

    assert made.status_code == 201, made.json()
    path = f"{TOPICS}{made.json()['data']['id']}/"
    assert year.teacher.patch(path, {"places": 2}, format="json").json()["data"]["places"] == 2
    assert year.ada.get(path).status_code == 200
    of_others = {**topic, "supervisor": str(FacultyFactory().pk)}
    assert year.teacher.post(TOPICS, of_others, format="json").status_code == 403
    assert year.planner.post(TOPICS, of_others, format="json").status_code == 201
    assert year.stranger.patch(path, {"places": 3}, format="json").status_code == 403


@pytest.mark.parametrize("phase", ["planned", "work", "defences", "over"])
def test_topics_are_offered_until_preferences_are_closed(year, phase):
    set_phase(year.cycle, phase)
    path = f"{TOPICS}{year.topics[0].pk}/"
    topic = {"cycle": str(year.cycle.pk), "supervisor": str(year.faculty.pk), "title_local": "Late"}

    assert code_of(year.teacher.post(TOPICS, topic, format="json")) == (409, "phase_not_open")
    assert code_of(year.teacher.patch(path, {"places": 9}, format="json")) == (409, "phase_not_open")
    assert code_of(year.teacher.delete(path)) == (409, "phase_not_open")
    assert not Topic.objects.exclude(pk__in=[one.pk for one in year.topics]).exists()


def test_who_plans_a_cycle_says_how_many_anybody_takes(year):
    capacity = {"cycle": str(year.cycle.pk), "faculty": str(year.faculty.pk), "max_count": 4}

    made = year.planner.post(CAPACITIES, capacity, format="json")

    assert made.status_code == 201, made.json()
    assert made.json()["data"]["used_count"] == 0
    assert code_of(year.planner.post(CAPACITIES, capacity, format="json")) == (409, "capacity_taken")
    assert year.teacher.post(CAPACITIES, capacity, format="json").status_code == 403
    SupervisorCapacity.objects.update(used_count=2)
    path = f"{CAPACITIES}{made.json()['data']['id']}/"
    assert code_of(year.planner.patch(path, {"max_count": 1}, format="json")) == (409, "quota_exceeded")
    assert year.planner.patch(path, {"max_count": 2}, format="json").status_code == 200


def test_a_student_says_what_they_prefer_and_thinks_better_of_it(year):
    made = year.ada.post(APPLICATIONS, asking(year, 2, 0), format="json")

    assert made.status_code == 201, made.json()
    data = made.json()["data"]
    wanted = [(one["rank"], one["topic"]["id"]) for one in data["preferences"]]
    assert wanted == [(1, str(year.topics[2].pk)), (2, str(year.topics[0].pk))]
    path = f"{APPLICATIONS}{data['id']}/"
    changed = year.ada.put(path, {"topics": asking(year, 0, 1, 2)["topics"]}, format="json")
    assert [one["topic"]["id"] for one in changed.json()["data"]["preferences"]] == asking(year, 0, 1, 2)["topics"]
    assert code_of(year.ada.post(APPLICATIONS, asking(year, 1), format="json")) == (409, "already_applied")
    assert year.ada.delete(path).status_code == 204
    assert not TopicPreference.objects.exists()


def test_what_is_the_same_again_changes_nothing(year):
    path = f"{APPLICATIONS}{year.ada.post(APPLICATIONS, asking(year, 0), format='json').json()['data']['id']}/"
    before = year.ada.get(path)["ETag"]

    assert year.ada.put(path, {"topics": asking(year, 0)["topics"]}, format="json")["ETag"] == before
    changed = year.ada.put(path, {"topics": asking(year, 1)["topics"]}, format="json", headers={"If-Match": before})
    assert changed.status_code == 200
    stale = year.ada.put(path, {"topics": asking(year, 2)["topics"]}, format="json", headers={"If-Match": before})
    assert stale.status_code == 412


@pytest.mark.parametrize("phase", ["planned", "topics", "work", "over"])
def test_preferences_are_said_while_that_is_open(year, phase):
    path = f"{APPLICATIONS}{TopicPreferenceFactory(application=_application(year)).application_id}/"
    set_phase(year.cycle, phase)

    assert code_of(year.ada.put(path, {"topics": asking(year, 0)["topics"]}, format="json")) == (409, "phase_not_open")
    assert code_of(year.ada.delete(path)) == (409, "phase_not_open")
    ProjectApplication.objects.all().delete()
    assert code_of(year.ada.post(APPLICATIONS, asking(year, 0), format="json")) == (409, "phase_not_open")


def _application(year):
    return ProjectApplicationFactory(cycle=year.cycle, student=year.student)


def test_all_that_is_wrong_with_preferences_is_said_at_once(year):
    ProjectCycle.objects.update(most_preferences=3)
    Topic.objects.filter(pk=year.topics[1].pk).update(is_offered=False)
    elsewhere = {**asking(year, 0, 0, 1), "topics": [*asking(year, 0, 0, 1)["topics"], str(TopicFactory().pk)]}
    year.student.program_enrollments.all().delete()

    refused = year.ada.post(APPLICATIONS, elsewhere, format="json").json()

    assert [(one["field"], one["code"]) for one in refused["errors"]] == [
        ("topics.2", "topic_not_offered"),
        ("topics.3", "topic_not_offered"),
        ("topics", "topic_repeated"),
        ("topics", "preferences_out_of_range"),
        ("student", "not_in_program"),
    ]
    assert not ProjectApplication.objects.exists()


def test_what_a_student_prefers_is_told_those_in_charge_on_record(year, user_with, client_for):
    application = TopicPreferenceFactory(application=_application(year)).application
    another = client_for(user_with(Role.STUDENT, ScopeKind.SELF, person=ProgramEnrollmentFactory().student.person))

    assert len(year.planner.get(APPLICATIONS).json()["data"]) == 1
    assert Disclosure.objects.filter(subject_id=year.student.person_id).exists()
    for client in (another, year.stranger):
        assert client.get(APPLICATIONS).json()["data"] == []
        assert client.get(f"{APPLICATIONS}{application.pk}/").status_code == 404
    assert year.teacher.get(APPLICATIONS).status_code == 403


def test_a_list_takes_as_many_questions_for_many_as_for_one(year, django_assert_max_num_queries):
    def ask():
        ranked = TopicPreferenceFactory(application=ProjectApplicationFactory(cycle=year.cycle))
        ProgramEnrollmentFactory(student=ranked.application.student, program=year.cycle.program, is_primary=True)
        TopicPreferenceFactory(application=ranked.application, rank=2)

    for _ in range(5):
        ask()
    year.planner.get(APPLICATIONS)

    with django_assert_max_num_queries(8):
        assert len(year.planner.get(APPLICATIONS).json()["data"]) == 5
