"""The log of a supervision: each side signs for itself, and what both have signed stays as it is."""

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from projects import services
from projects.models import LogEntry
from tests.projects.cycle_factories import DAY, FinalYearProjectFactory, LogEntryFactory, ProjectMemberFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db
LOG = "/api/v1/supervision-log/"


@pytest.fixture
def work(user_with, client_for):
    """A project of Ada and Ben, who supervises it, who plans its cycle, and somebody with another project."""
    project = FinalYearProjectFactory()
    ada, ben = (ProjectMemberFactory(project=project) for _ in range(2))

    def student(member, email):
        return user_with(Role.STUDENT, ScopeKind.SELF, person=member.student.person, email=email)

    teacher = user_with(Role.FACULTY, ScopeKind.SELF, person=project.supervisor.person, email="t@example.org")
    planner = user_with(Role.PROGRAM_COORDINATOR, ScopeKind.PROGRAM, project.cycle.program_id, email="p@example.org")
    return SimpleNamespace(
        project=project,
        students=[ada.student, ben.student],
        teacher_user=teacher,
        ada_user=(ada_user := student(ada, "ada@example.org")),
        ada=client_for(ada_user),
        ben=client_for(student(ben, "ben@example.org")),
        teacher=client_for(teacher),
        planner=client_for(planner),
        stranger=client_for(student(ProjectMemberFactory(), "s@example.org")),
    )


def write(work, client=None, **more):
    body = {
        "project": str(work.project.pk), "met_at": (timezone.now() - DAY).isoformat(), "minutes": 45,
        "summary": "Which sources to read", **more,
    }  # fmt: skip
    return (client or work.ada).post(LOG, body, format="json")


def sign(client, entry_id, tag=None):
    path = f"{LOG}{entry_id}/"
    tag = tag or client.get(path).get("ETag", '"none"')
    return client.post(f"{path}sign/", {}, format="json", headers={"If-Match": tag})


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_each_side_signs_for_itself_and_then_it_is_final(work):
    entry = write(work).json()["data"]

    by_ada = sign(work.ada, entry["id"]).json()["data"]
    assert by_ada["student_signed_by"]["id"] == str(work.students[0].pk)
    assert by_ada["supervisor_signed_by"] is None
    assert sign(work.ben, entry["id"]).json()["data"]["student_signed_by"]["id"] == str(work.students[0].pk)
    by_both = sign(work.teacher, entry["id"]).json()["data"]

    assert by_both["supervisor_signed_by"]["id"] == str(work.project.supervisor_id)
    path = f"{LOG}{entry['id']}/"
    assert code_of(work.ada.patch(path, {"minutes": 50}, format="json")) == (409, "immutable")
    assert code_of(work.teacher.delete(path)) == (409, "log_entry_signed")
    assert LogEntry.objects.get().minutes == 45


def test_nobody_signs_who_is_neither(work):
    entry = write(work).json()["data"]

    assert sign(work.planner, entry["id"]).status_code == 403
    assert sign(work.stranger, entry["id"]).status_code == 404
    assert not LogEntry.objects.get().is_signed


def test_a_change_takes_back_what_was_signed(work):
    entry = write(work, work.teacher).json()["data"]
    tag = work.ada.get(f"{LOG}{entry['id']}/")["ETag"]
    sign(work.teacher, entry["id"])
    path = f"{LOG}{entry['id']}/"

    assert work.ada.patch(path, {"minutes": 45}, format="json").json()["data"]["supervisor_signed_at"] is not None
    assert work.ada.patch(path, {"minutes": 50}, format="json").json()["data"]["supervisor_signed_at"] is None
    assert sign(work.ada, entry["id"], tag).status_code == 412
    assert work.ada.post(f"{path}sign/", {}, format="json").status_code == 428
    assert work.ada.delete(path).status_code == 204


def test_what_has_not_been_or_is_not_theirs_is_not_written(work):
    assert code_of(write(work, met_at=(timezone.now() + DAY).isoformat())) == (400, "meeting_in_future")
    assert write(work, minutes=0).status_code == 400
    assert write(work, summary="").status_code == 400
    assert write(work, work.stranger).status_code == 400
    assert write(work, work.planner).status_code == 403
    assert not LogEntry.objects.exists()
    first = write(work).json()["data"]
    assert code_of(write(work, met_at=first["met_at"])) == (409, "log_entry_taken")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE projects_logentry SET summary = 'Otherwise'",
        "UPDATE projects_logentry SET student_signed_by_id = NULL, student_signed_at = NULL",
        "DELETE FROM projects_logentry",
    ],
)
def test_what_both_have_signed_never_changes(work, change):
    LogEntryFactory(
        project=work.project, student_signed_by=work.students[0], student_signed_at=timezone.now(),
        supervisor_signed_by=work.project.supervisor, supervisor_signed_at=timezone.now(),
    )  # fmt: skip

    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(change)


def test_those_in_charge_read_and_others_see_nothing(work, django_assert_max_num_queries):
    for number in range(5):
        LogEntryFactory(project=work.project, met_at=timezone.now() - (number + 1) * DAY)
    work.planner.get(LOG)

    with django_assert_max_num_queries(9):
        assert len(work.planner.get(LOG).json()["data"]) == 5
    assert work.stranger.get(LOG).json()["data"] == []


@pytest.mark.django_db(transaction=True)
def test_a_signature_and_a_change_at_once_are_one_of_them(user_with):
    with transaction.atomic():
        member = ProjectMemberFactory()
        entry = LogEntryFactory(project=member.project)
    user = user_with(Role.STUDENT, ScopeKind.SELF, person=member.student.person)
    rows = [LogEntry.objects.select_related("project__supervisor").get(pk=entry.pk) for _ in range(2)]
    now = timezone.now()

    came_of_it = at_once(
        lambda: services.sign_log_entry(rows[0], by=user, at=now),
        lambda: services.update_log_entry(rows[1], by=None, at=now, minutes=5),
    )

    assert sorted(isinstance(one, LogEntry) for one in came_of_it) == [False, True]
    left = LogEntry.objects.get()
    assert left.is_signed is (left.minutes == 30)
