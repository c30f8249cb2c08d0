"""What is due in final projects: planned, reached, judged, and put off, each by whom it is for."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from audit.models import Disclosure
from core.errors import DomainError
from projects import services
from projects.models import ExtensionRequest, Milestone, MilestoneEvent, ProjectCycle, ProjectMember
from tests.projects.cycle_factories import (
    DAY,
    ExtensionRequestFactory,
    FinalYearProjectFactory,
    MilestoneFactory,
    PlannedMilestoneFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
)
from tests.racing import at_once

pytestmark = pytest.mark.django_db
MILESTONES, PLANS, EXTENSIONS = "/api/v1/milestones/", "/api/v1/planned-milestones/", "/api/v1/extension-requests/"


@pytest.fixture
def work(user_with, client_for):
    """A project that Ada does, with something due in two days, who supervises it, and who plans its cycle."""
    project = FinalYearProjectFactory()
    member = ProjectMemberFactory(project=project)
    ada_user = user_with(Role.STUDENT, ScopeKind.SELF, person=member.student.person)
    teacher_user = user_with(Role.FACULTY, ScopeKind.SELF, person=project.supervisor.person, email="t@example.org")
    planner_user = user_with(
        Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, project.cycle.program_id, email="p@example.org"
    )
    other = user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, ProjectCycleFactory().program_id, email="o@x.org")
    stranger = user_with(
        Role.STUDENT, ScopeKind.SELF, person=ProjectMemberFactory().student.person, email="s@example.org"
    )
    return SimpleNamespace(
        project=project,
        member=member,
        milestone=MilestoneFactory(project=project),
        users=SimpleNamespace(ada=ada_user, teacher=teacher_user, planner=planner_user),
        ada=client_for(ada_user),
        teacher=client_for(teacher_user),
        planner=client_for(planner_user),
        other=client_for(other),
        stranger=client_for(stranger),
    )


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def step(client, milestone, name, **body):
    path = f"{MILESTONES}{milestone.pk}/"
    tag = client.get(path)["ETag"]
    return client.post(f"{path}{name}/", body, format="json", headers={"If-Match": tag})


def due(**more):
    return {"kind": "draft", "title": "Draft", "due_at": (timezone.now() + 3 * DAY).isoformat(), **more}


def ask(work, **more):
    until = (work.milestone.due_at + DAY).isoformat()
    body = {"milestone": str(work.milestone.pk), "until": until, "reason": "The laboratory is closed.", **more}
    return work.ada.post(EXTENSIONS, body, format="json")


def decide(client, request_id, verb, **body):
    return client.post(f"{EXTENSIONS}{request_id}/{verb}/", body, format="json")


def test_who_supervises_a_project_says_what_is_due(work):
    made = work.teacher.post(MILESTONES, due(project=str(work.project.pk), weight="12.50"), format="json")

    assert made.status_code == 201, made.json()
    data = made.json()["data"]
    assert (data["weight"], data["status"], data["extended_until"]) == ("12.50", "planned", None)
    path = f"{MILESTONES}{data['id']}/"
    assert work.teacher.patch(path, {"weight": "20.00"}, format="json").status_code == 200
    assert [row["title"] for row in work.ada.get(MILESTONES).json()["data"]][-1] == "Draft"
    assert work.teacher.delete(path).status_code == 204
    assert work.ada.post(MILESTONES, due(project=str(work.project.pk)), format="json").status_code == 403
    assert work.ada.patch(f"{MILESTONES}{work.milestone.pk}/", {"weight": "0"}, format="json").status_code == 403


def test_those_with_whom_it_has_nothing_to_do_see_nothing_of_it(work):
    path = f"{MILESTONES}{work.milestone.pk}/"

    for client in (work.other, work.stranger):
        assert client.get(MILESTONES).json()["data"] == []
        assert client.get(path).status_code == client.get(f"{path}history/").status_code == 404
    assert work.planner.get(path).status_code == 200
    assert Disclosure.objects.filter(subject_id=work.member.student.person_id).exists()


def test_who_has_left_sees_what_was_due_and_does_nothing_more(work):
    ProjectMember.objects.filter(pk=work.member.pk).update(is_active=False)

    assert len(work.ada.get(MILESTONES).json()["data"]) == 1
    assert step(work.ada, work.milestone, "submit").status_code == 403
    assert ask(work).status_code == 403


def test_a_milestone_goes_back_and_forth_until_it_is_accepted(work):
    assert code_of(step(work.teacher, work.milestone, "accept")) == (409, "milestone_transition")
    assert step(work.ada, work.milestone, "submit").json()["data"]["status"] == "submitted"
    assert code_of(step(work.ada, work.milestone, "submit")) == (409, "milestone_transition")
    assert step(work.teacher, work.milestone, "return", feedback="Say why.").json()["data"]["status"] == "returned"
    assert step(work.ada, work.milestone, "submit").status_code == 200
    assert step(work.teacher, work.milestone, "accept", feedback="Well done.").json()["data"]["status"] == "accepted"
    assert code_of(step(work.ada, work.milestone, "submit")) == (409, "milestone_transition")

    steps = work.ada.get(f"{MILESTONES}{work.milestone.pk}/history/").json()["data"]
    assert [(one["to_status"], one["reason"]) for one in steps] == [
        ("accepted", "Well done."), ("submitted", ""), ("returned", "Say why."), ("submitted", ""),
    ]  # fmt: skip


def test_a_judgement_is_about_what_was_read(work):
    step(work.ada, work.milestone, "submit")
    path = f"{MILESTONES}{work.milestone.pk}/accept/"

    assert work.teacher.post(path, {}, format="json").status_code == 428
    assert work.teacher.post(path, {}, format="json", headers={"If-Match": '"1"'}).status_code == 412


def test_who_does_a_project_neither_judges_it_nor_plans_it(work):
    step(work.ada, work.milestone, "submit")
    milestone = Milestone.objects.get()

    for act in (
        lambda: services.accept_milestone(milestone, by=work.users.ada, at=timezone.now()),
        lambda: services.return_milestone(milestone, by=work.users.ada, at=timezone.now(), feedback="No"),
        lambda: services.update_milestone(milestone, by=work.users.ada, weight=0),
        lambda: services.delete_milestone(milestone, by=work.users.ada),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert refused.value.error_code == "self_approval"
    assert Milestone.objects.get().status == "submitted"


def test_nothing_is_handed_in_once_the_cycle_is_over(work):
    Milestone.objects.update(due_at=timezone.now() - timedelta(hours=2))
    ProjectCycle.objects.filter(pk=work.project.cycle_id).update(
        defences_open_at=timezone.now() - timedelta(hours=1, minutes=30), ends_at=timezone.now() - timedelta(hours=1)
    )

    assert code_of(step(work.ada, work.milestone, "submit")) == (409, "phase_not_open")


def test_what_was_handed_in_is_not_planned_anew(work):
    step(work.ada, work.milestone, "submit")
    path = f"{MILESTONES}{work.milestone.pk}/"

    assert code_of(work.teacher.patch(path, {"weight": "1.00"}, format="json")) == (409, "milestone_not_open")
    assert code_of(work.teacher.delete(path)) == (409, "milestone_not_open")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"due_at": "2001-01-01T00:00:00Z"}, (400, "milestone_out_of_cycle")),
        ({"due_at": "2099-01-01T00:00:00Z"}, (400, "milestone_out_of_cycle")),
        ({"weight": "90.01"}, (409, "weights_exceeded")),
        ({"weight": "100.01"}, (400, "max_value")),
        ({"weight": "0.001"}, (400, "max_decimal_places")),
        ({"kind": "party"}, (400, "invalid_choice")),
    ],
)
def test_what_cannot_be_due_is_refused_and_nothing_is_made(work, changes, code):
    refused = work.teacher.post(MILESTONES, due(project=str(work.project.pk), **changes), format="json")

    assert code_of(refused) == code
    assert Milestone.objects.count() == 1


def test_a_project_may_weigh_the_whole_and_no_more(work):
    body = due(project=str(work.project.pk), weight="90.00")

    assert work.teacher.post(MILESTONES, body, format="json").status_code == 201
    more = work.teacher.patch(f"{MILESTONES}{work.milestone.pk}/", {"weight": "10.01"}, format="json")
    assert code_of(more) == (409, "weights_exceeded")


def test_a_plan_is_given_to_all_projects_of_a_cycle_and_to_those_begun_since(work):
    plan = work.planner.post(PLANS, due(cycle=str(work.project.cycle_id), weight="30.00"), format="json")
    assert plan.status_code == 201, plan.json()
    path = f"{PLANS}{plan.json()['data']['id']}/"

    assert work.planner.post(f"{path}apply/", {}, format="json").status_code == 200
    late = FinalYearProjectFactory(cycle=work.project.cycle)
    for _ in range(2):
        assert work.planner.post(f"{path}apply/", {}, format="json").status_code == 200

    given = Milestone.objects.filter(title="Draft")
    assert {one.project_id: str(one.weight) for one in given} == {work.project.pk: "30.00", late.pk: "30.00"}
    assert MilestoneEvent.objects.filter(milestone__in=given, to_status="planned").count() == 2
    assert work.ada.get(PLANS).status_code == 200
    for client in (work.ada, work.teacher, work.other):
        assert client.post(f"{path}apply/", {}, format="json").status_code == 403
    assert work.planner.delete(path).status_code == 204
    assert given.count() == 2


def test_a_plan_that_is_too_much_for_one_project_is_given_to_none(work):
    FinalYearProjectFactory(cycle=work.project.cycle)
    plan = PlannedMilestoneFactory(cycle=work.project.cycle, weight=91)

    assert code_of(work.planner.post(f"{PLANS}{plan.pk}/apply/", {}, format="json")) == (409, "weights_exceeded")
    assert Milestone.objects.count() == 1


def test_a_plan_takes_as_many_questions_for_many_projects_as_for_few(work, django_assert_max_num_queries):
    plan = PlannedMilestoneFactory(cycle=work.project.cycle)
    for _ in range(6):
        FinalYearProjectFactory(cycle=work.project.cycle)

    with django_assert_max_num_queries(8):
        services.apply_planned_milestone(plan, by=None, at=timezone.now())

    assert Milestone.objects.filter(planned=plan).count() == 7


def test_a_supervisor_gives_more_time_and_a_later_date_takes_the_place_of_it(work):
    asked = ask(work)
    assert asked.status_code == 201, asked.json()
    data = asked.json()["data"]
    assert (data["status"], data["requested_by"]["id"]) == ("requested", str(work.users.ada.pk))
    assert code_of(ask(work)) == (409, "extension_pending")
    assert decide(work.ada, data["id"], "grant").status_code == 403

    granted = decide(work.teacher, data["id"], "grant", answer="Until then, and no longer.")

    assert granted.json()["data"]["status"] == "granted"
    milestone = Milestone.objects.get()
    assert milestone.due == milestone.extended_until == work.milestone.due_at + DAY
    assert code_of(decide(work.teacher, data["id"], "refuse")) == (409, "extension_decided")
    assert decide(work.teacher, data["id"], "grant").status_code == 200
    later = {"due_at": (work.milestone.due_at + 2 * DAY).isoformat()}
    assert work.teacher.patch(f"{MILESTONES}{milestone.pk}/", later, format="json").status_code == 200
    assert Milestone.objects.get().extended_until is None


def test_a_refusal_gives_no_time_and_lets_somebody_ask_again(work):
    first = ask(work).json()["data"]

    assert decide(work.teacher, first["id"], "refuse", answer="No.").json()["data"]["answer"] == "No."
    assert Milestone.objects.get().extended_until is None
    assert ask(work).status_code == 201


def test_nobody_decides_about_more_time_for_themselves(work):
    mine = ExtensionRequestFactory(milestone=work.milestone, requested_by=work.users.teacher)

    assert code_of(decide(work.teacher, mine.pk, "grant")) == (403, "self_approval")
    for act in (services.grant_extension, services.refuse_extension):
        with pytest.raises(DomainError) as refused:
            act(mine, by=work.users.ada, at=timezone.now())
        assert refused.value.error_code == "self_approval"
    assert ExtensionRequest.objects.get().status == "requested"


@pytest.mark.parametrize(
    ("until", "code"), [(timedelta(0), "extension_not_later"), (4 * DAY, "milestone_out_of_cycle")]
)
def test_time_that_there_is_not_is_not_asked_for(work, until, code):
    assert code_of(ask(work, until=(work.milestone.due_at + until).isoformat())) == (400, code)
    assert not ExtensionRequest.objects.exists()


def test_no_time_is_asked_for_what_was_handed_in_or_is_of_others(work):
    assert ask(work, reason="").status_code == 400
    theirs = ask(work, milestone=str(MilestoneFactory().pk))
    assert theirs.status_code == 400
    step(work.ada, work.milestone, "submit")
    assert code_of(ask(work)) == (409, "milestone_not_open")


def test_a_list_takes_as_many_questions_for_many_as_for_one(work, django_assert_max_num_queries):
    for _ in range(5):
        ExtensionRequestFactory(milestone=MilestoneFactory(project=work.project, weight=1), requested_by=work.users.ada)
    for path in (MILESTONES, EXTENSIONS):
        work.teacher.get(path)
        with django_assert_max_num_queries(9):
            assert len(work.teacher.get(path).json()["data"]) >= 5


@pytest.mark.django_db(transaction=True)
def test_those_who_add_at_once_add_up_to_the_whole_at_most():
    with transaction.atomic():
        project = FinalYearProjectFactory()
    now = timezone.now()
    values = {"project": project, "kind": "draft", "due_at": now + DAY, "weight": 60}

    came_of_it = at_once(
        *(
            lambda title=title: services.create_milestone(by=None, at=now, title=title, **values)
            for title in ("First", "Second")
        )
    )

    assert "weights_exceeded" in came_of_it
    assert Milestone.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_two_decide_at_once_is_decided_once():
    with transaction.atomic():
        request = ExtensionRequestFactory()
    rows = [ExtensionRequest.objects.get(pk=request.pk) for _ in range(2)]
    now = timezone.now()

    came_of_it = at_once(
        lambda: services.grant_extension(rows[0], by=None, at=now),
        lambda: services.refuse_extension(rows[1], by=None, at=now),
    )

    assert sum(isinstance(one, ExtensionRequest) for one in came_of_it) == 1
    decided = ExtensionRequest.objects.get()
    assert (decided.status == "granted") == (Milestone.objects.get().extended_until is not None)
