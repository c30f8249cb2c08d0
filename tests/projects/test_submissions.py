"""What is handed in: numbered by the database, late or in time, judged once, and never changed or lost."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from audit.models import Disclosure
from core.errors import DomainError
from files.models import FileAsset
from files.services import delete_file
from projects import services
from projects.models import Milestone, Submission, SubmissionFile
from tests.projects.cycle_factories import (
    DAY,
    FileAssetFactory,
    FinalYearProjectFactory,
    MilestoneFactory,
    ProjectMemberFactory,
    SubmissionFactory,
    SubmissionFileFactory,
)
from tests.racing import at_once

pytestmark = pytest.mark.django_db
SUBMISSIONS, FILES = "/api/v1/submissions/", "/api/v1/files/"


@pytest.fixture
def work(user_with, client_for):
    """Something that is due in the project of Ada, who has two files, and who supervises it."""
    project = FinalYearProjectFactory()
    member = ProjectMemberFactory(project=project)
    ada = user_with(Role.STUDENT, ScopeKind.SELF, person=member.student.person)
    teacher = user_with(Role.FACULTY, ScopeKind.SELF, person=project.supervisor.person, email="t@example.org")
    stranger = user_with(
        Role.STUDENT, ScopeKind.SELF, person=ProjectMemberFactory().student.person, email="s@example.org"
    )
    return SimpleNamespace(
        project=project,
        member=member,
        milestone=MilestoneFactory(project=project),
        files=[FileAssetFactory(owner=ada) for _ in range(2)],
        ada_user=ada,
        ada=client_for(ada),
        teacher=client_for(teacher),
        stranger=client_for(stranger),
    )


def hand_in(work, *files, client=None, **more):
    body = {"files": [str(file.pk) for file in files], **more}
    return (client or work.ada).post(f"/api/v1/milestones/{work.milestone.pk}/submit/", body, format="json")


def judge(work, verb, **body):
    path = f"/api/v1/milestones/{work.milestone.pk}/"
    return work.teacher.post(
        f"{path}{verb}/", body, format="json", headers={"If-Match": work.teacher.get(path)["ETag"]}
    )


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_versions_follow_one_another_with_what_was_said_of_each(work):
    first, second = work.files
    assert hand_in(work, first, statement="The first draft").status_code == 200
    assert judge(work, "return", feedback="More sources").status_code == 200
    assert hand_in(work, second, first).json()["data"]["submission_count"] == 2
    assert judge(work, "accept", feedback="Well done").status_code == 200

    latest, former = work.ada.get(SUBMISSIONS).json()["data"]

    assert [(one["version_no"], one["decision"], one["feedback"]) for one in (former, latest)] == [
        (1, "returned", "More sources"),
        (2, "accepted", "Well done"),
    ]
    assert [file["id"] for file in latest["files"]] == [str(second.pk), str(first.pk)]
    assert (former["statement"], former["is_late"]) == ("The first draft", False)


@pytest.mark.parametrize(("extended", "is_late"), [(None, True), (timedelta(hours=3), False)])
def test_what_is_late_is_told_by_the_instant_and_the_time_that_was_given(work, extended, is_late):
    due_at = timezone.now() - timedelta(hours=1)
    Milestone.objects.update(due_at=due_at, extended_until=extended and due_at + extended)

    assert hand_in(work).status_code == 200

    submission = Submission.objects.get()
    assert (submission.is_late, submission.due_at) == (is_late, due_at + (extended or timedelta(0)))
    assert work.ada.get(f"{SUBMISSIONS}?is_late={str(is_late).lower()}").json()["data"]


def test_more_time_that_is_given_later_changes_nothing_about_it(work):
    SubmissionFactory(milestone=work.milestone, submitted_at=work.milestone.due_at + timedelta(seconds=1))
    Milestone.objects.update(extended_until=work.milestone.due_at + DAY)

    assert Submission.objects.get().is_late is True


def test_whoever_sees_a_version_reads_its_files_and_nobody_else(work):
    hand_in(work, work.files[0])
    path, version = f"{FILES}{work.files[0].pk}/", f"{SUBMISSIONS}{Submission.objects.get().pk}/"

    assert work.teacher.get(path).status_code == work.teacher.get(version).status_code == 200
    assert Disclosure.objects.filter(subject_id=work.member.student.person_id, what="file").exists()
    assert work.teacher.get(f"{FILES}{work.files[1].pk}/").status_code == 404
    assert work.stranger.get(path).status_code == work.stranger.get(version).status_code == 404
    assert work.stranger.get(SUBMISSIONS).json()["data"] == []
    assert hand_in(work, client=work.stranger).status_code == 404
    assert hand_in(work, client=work.teacher).status_code == 403


def test_a_file_that_was_handed_in_is_not_deleted(work):
    hand_in(work, work.files[0])

    assert code_of(work.ada.delete(f"{FILES}{work.files[0].pk}/")) == (409, "in_use")
    assert work.ada.delete(f"{FILES}{work.files[1].pk}/").status_code == 204
    assert FileAsset.objects.get(pk=work.files[0].pk).deleted_at is None


def test_what_cannot_be_handed_in_is_refused_and_nothing_is(work):
    theirs = FileAssetFactory()
    FileAsset.objects.filter(pk=work.files[1].pk).update(scan_state="infected", scanned_at=timezone.now())

    assert hand_in(work, theirs).status_code == 400
    assert code_of(hand_in(work, work.files[0], work.files[0])) == (400, "file_repeated")
    assert code_of(hand_in(work, work.files[1])) == (400, "file_unavailable")
    assert hand_in(work, *(FileAssetFactory(owner=work.ada_user) for _ in range(21))).status_code == 400
    assert not Submission.objects.exists()
    assert Milestone.objects.get().status == "planned"


CHANGES = {
    "its words": "UPDATE projects_submission SET statement = 'Otherwise'",
    "its time": "UPDATE projects_submission SET submitted_at = now() - interval '1 year'",
    "until when it was due": "UPDATE projects_submission SET due_at = now() + interval '1 year'",
    "its number": "UPDATE projects_submission SET version_no = 7",
    "the version": "DELETE FROM projects_submission",
    "its files": "DELETE FROM projects_submissionfile",
    "which file it is": "UPDATE projects_submissionfile SET position = 3",
    "the file": "DELETE FROM files_fileasset",
    "the content of the file": "UPDATE files_fileasset SET sha256 = repeat('0', 64)",
    "whether the file is there": "UPDATE files_fileasset SET deleted_at = now()",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_version_never_changes_nor_loses_a_file(what):
    SubmissionFileFactory()

    with connection.cursor() as cursor:
        # References are looked at there and then.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(CHANGES[what])


def test_what_was_said_of_a_version_is_said_once():
    submission = SubmissionFactory()
    said = {"decision": "returned", "decided_at": timezone.now()}
    Submission.objects.filter(pk=submission.pk).update(**said, feedback="Again")

    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(feedback="Well done")


def test_a_list_takes_as_many_questions_for_many_as_for_one(work, django_assert_max_num_queries):
    for _ in range(5):
        SubmissionFileFactory(submission__milestone=work.milestone, submission__files_count=1)
    work.teacher.get(SUBMISSIONS)

    with django_assert_max_num_queries(10):
        assert len(work.teacher.get(SUBMISSIONS).json()["data"]) == 5


@pytest.mark.django_db(transaction=True)
def test_versions_are_numbered_without_gaps_however_many_come_at_once():
    with transaction.atomic():
        milestone = MilestoneFactory()
    now = timezone.now()

    def make(fails):
        with transaction.atomic():
            Submission.objects.create(milestone=milestone, submitted_at=now, due_at=now)
            if fails:
                raise DomainError("thought better of it")

    at_once(*(lambda fails=fails: make(fails) for fails in (False, True, False, True)))
    make(False)

    assert sorted(Submission.objects.values_list("version_no", flat=True)) == [1, 2, 3]
    assert Milestone.objects.get().submission_count == 3


@pytest.mark.django_db(transaction=True)
def test_of_two_who_hand_in_at_once_one_does():
    with transaction.atomic():
        milestone = MilestoneFactory()
    rows = [Milestone.objects.select_related("project__cycle").get(pk=milestone.pk) for _ in range(2)]
    now = timezone.now()

    came_of_it = at_once(*(lambda row=row: services.submit_milestone(row, by=None, at=now) for row in rows))

    assert sorted(isinstance(one, Milestone) for one in came_of_it) == [False, True]
    assert [one.version_no for one in Submission.objects.all()] == [1]


@pytest.mark.django_db(transaction=True)
def test_a_file_is_handed_in_or_deleted_and_never_both():
    with transaction.atomic():
        milestone, asset = MilestoneFactory(), FileAssetFactory()
    now = timezone.now()

    at_once(
        lambda: services.submit_milestone(Milestone.objects.get(), by=None, at=now, files=[asset]),
        lambda: delete_file(FileAsset.objects.get(), by=None),
    )

    is_deleted = FileAsset.objects.get().deleted_at is not None
    assert SubmissionFile.objects.filter(submission__milestone=milestone).exists() is not is_deleted
    assert Submission.objects.exists() is not is_deleted
