"""Whose act a step of an import is: of whoever asked for it, with the roles they hold when a worker comes to it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from core.models import OutboxEvent
from departments.models import Department
from interop.models import ImportJob, ImportJobEvent
from students.models import StudentStatusEvent
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/imports/"
Work = Callable[[], int]
ClientFor = Callable[[User | None], APIClient]


@pytest.fixture
def other(user_with: Callable[..., User]) -> User:
    """Another registrar of the whole institution."""
    return user_with(Role.REGISTRAR)


@pytest.fixture
def other_client(other: User, client_for: ClientFor) -> APIClient:
    return client_for(other)


def upload(client: APIClient, content: bytes = b"code,name\nPHY,Physics\n", kind: str = "departments") -> str:
    form = {"file": SimpleUploadedFile(f"{kind}.csv", content), "kind": kind}
    return str(client.post(URL, form, format="multipart").json()["data"]["id"])


def ask(client: APIClient, job: str, step: str) -> None:
    assert client.post(f"{URL}{job}/{step}/").status_code == 202


def shown_to(client: APIClient, job: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"{URL}{job}/").json()["data"]
    return shown


def end_roles_of(user: User) -> None:
    RoleAssignment.objects.filter(user=user).delete()


def steps_of(job: str) -> list[tuple[str, str, Any]]:
    """Return (state, reason, actor) of each step on record, in their order."""
    events = ImportJobEvent.objects.filter(job=job).order_by("happened_at", "id")
    return list(events.values_list("to_state", "reason", "actor"))


def codes_in(shown: dict[str, Any]) -> list[str]:
    return [error["code"] for error in shown["errors"]]


@pytest.mark.checklist(11)
def test_each_step_is_of_whoever_asked_for_it(
    registrar: User, registrar_client: APIClient, other: User, other_client: APIClient, work: Work
) -> None:
    job = upload(registrar_client)
    work()
    ask(other_client, job, "apply")
    work()

    assert steps_of(job) == [
        ("validating", "", registrar.pk),
        ("validated", "", registrar.pk),
        ("applying", "", other.pk),
        ("applied", "", other.pk),
    ]
    assert ImportJob.objects.get().actor == registrar


@pytest.mark.checklist(11)
def test_what_an_import_writes_is_the_act_of_whoever_applied_it(
    registrar_client: APIClient, other: User, other_client: APIClient, work: Work
) -> None:
    StudentFactory(student_no="S1", status="active")
    job = upload(registrar_client, b"student_no,status\nS1,graduated\n", "students")
    work()
    ask(other_client, job, "apply")
    work()

    assert shown_to(other_client, job)["state"] == "applied"
    assert list(StudentStatusEvent.objects.values_list("actor", flat=True)) == [other.pk]


def test_an_import_is_applied_when_the_role_of_whoever_uploaded_it_has_ended(
    registrar: User, registrar_client: APIClient, other_client: APIClient, work: Work
) -> None:
    job = upload(registrar_client)
    work()
    end_roles_of(registrar)

    ask(other_client, job, "apply")
    work()

    assert shown_to(other_client, job)["state"] == "applied"
    assert Department.objects.get().name == "Physics"


@pytest.mark.checklist(11)
@pytest.mark.parametrize("cause", ["role", "account"])
def test_one_whose_right_ended_before_the_worker_came_is_refused_on_record(
    registrar_client: APIClient, other: User, other_client: APIClient, work: Work, cause: str
) -> None:
    job = upload(registrar_client)
    work()
    ask(other_client, job, "apply")
    if cause == "role":
        end_roles_of(other)
    else:
        User.objects.filter(pk=other.pk).update(is_active=False)

    work()

    shown = shown_to(registrar_client, job)
    assert (shown["state"], codes_in(shown)) == ("failed", ["out_of_scope"])
    assert steps_of(job)[-1] == ("failed", "out_of_scope", other.pk if cause == "role" else None)
    assert not Department.objects.exists()


@pytest.mark.checklist(11)
def test_what_was_refused_is_resumed_by_whoever_may(
    registrar_client: APIClient, other: User, other_client: APIClient, work: Work
) -> None:
    job = upload(other_client)
    end_roles_of(other)
    work()
    assert codes_in(shown_to(registrar_client, job)) == ["out_of_scope"]

    ask(registrar_client, job, "resume")
    work()
    ask(registrar_client, job, "apply")
    work()

    shown = shown_to(registrar_client, job)
    assert (shown["state"], shown["errors"]) == ("applied", [])


def test_a_refused_validation_leaves_an_import_that_was_taken_back_as_it_is(
    registrar_client: APIClient, other: User, other_client: APIClient, work: Work
) -> None:
    job = upload(registrar_client)
    for step in ("apply", "revert"):
        work()
        ask(registrar_client, job, step)
    work()
    ask(other_client, job, "validate")
    end_roles_of(other)

    work()

    shown = shown_to(registrar_client, job)
    assert (shown["state"], codes_in(shown)) == ("reverted", ["out_of_scope"])
    assert steps_of(job)[-1] == ("reverted", "out_of_scope", other.pk)


def test_a_refusal_does_not_disturb_another_run(
    registrar_client: APIClient, other: User, other_client: APIClient, work: Work
) -> None:
    job = upload(registrar_client)
    work()
    ImportJob.objects.filter(pk=job).update(state="applying", run_id="0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44")
    ask(other_client, job, "resume")
    end_roles_of(other)

    work()

    shown = shown_to(registrar_client, job)
    assert (shown["state"], codes_in(shown)) == ("applying", ["out_of_scope"])


def test_of_two_imports_of_one_file_that_are_asked_for_at_once_the_second_says_why_it_was_refused(
    registrar_client: APIClient, work: Work
) -> None:
    jobs = [upload(registrar_client), upload(registrar_client)]
    work()
    for job in jobs:
        ask(registrar_client, job, "apply")
    work()

    shown = [shown_to(registrar_client, job) for job in jobs]
    assert [(each["state"], codes_in(each)) for each in shown] == [("applied", []), ("failed", ["already_imported"])]
    assert ImportJobEvent.objects.filter(job=jobs[1]).latest("happened_at").reason == "already_imported"


def test_a_step_asked_for_twice_is_taken_once_and_leaves_no_error(registrar_client: APIClient, work: Work) -> None:
    job = upload(registrar_client)
    work()
    ask(registrar_client, job, "apply")
    ask(registrar_client, job, "apply")

    work()

    shown = shown_to(registrar_client, job)
    assert (shown["state"], shown["errors"]) == ("applied", [])


def test_an_event_that_does_not_say_who_asked_counts_as_of_whoever_uploaded_the_file(
    registrar: User, registrar_client: APIClient, work: Work
) -> None:
    job = upload(registrar_client)
    OutboxEvent.objects.filter(name="interop.import.validation_requested").update(payload={"job_id": job})

    work()

    assert steps_of(job)[-1] == ("validated", "", registrar.pk)
    end_roles_of(registrar)
    ask_again = OutboxEvent.objects.create(name="interop.import.application_requested", payload={"job_id": job})
    work()
    ask_again.refresh_from_db()
    assert ask_again.delivered_at is not None
    assert steps_of(job)[-1] == ("failed", "out_of_scope", registrar.pk)
