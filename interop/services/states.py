"""The states of an import, and who works on it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from accounts.assignments import scopes_of
from accounts.models import User
from core import crud
from core.errors import ConflictError, DomainError, MissingError, OutOfScopeError
from core.visibility import Actor, visible
from enrollment.selectors import OVERRIDE
from enrollment.services import OverrideNotPermittedError
from interop.models import ImportJob, ImportJobEvent
from interop.models import ImportState as State
from interop.targets.registration import BEYOND_CAPACITY

TRANSITIONS: Mapping[str, Collection[str]] = {
    State.UPLOADED: {State.VALIDATING, State.FAILED},
    State.VALIDATING: {State.VALIDATED, State.FAILED},
    State.VALIDATED: {State.VALIDATING, State.APPLYING, State.FAILED},
    State.APPLYING: {State.APPLIED, State.PARTIALLY_APPLIED, State.FAILED},
    State.APPLIED: {State.REVERTING},
    State.PARTIALLY_APPLIED: {State.REVERTING},
    State.FAILED: {State.VALIDATING, State.APPLYING, State.REVERTING},
    # Back to where it came from when something stands in the way.
    State.REVERTING: {State.REVERTED, State.APPLIED, State.PARTIALLY_APPLIED, State.FAILED},
    State.REVERTED: {State.VALIDATING},
}


class TransitionError(ConflictError):
    """The import cannot go from its state to the one asked for."""

    code = "illegal_transition"
    title = "The import is not in a state that allows this."
    field = "state"


class SupersededError(ConflictError):
    """Somebody else has taken over the work on the import."""

    code = "import_taken_over"
    title = "Somebody else is working on this import by now."


def id_of(by: Actor | None) -> UUID | None:
    """Return the id by which an event names whoever asked for a step."""
    return by.pk if by else None


def requester(job_id: UUID, asked: UUID | None) -> Actor | None:
    """Return whoever asked for a step of a job, with the roles held now; by default whoever uploaded its file.

    A job that a command began was uploaded by nobody. Raises `OutOfScopeError` as `account_now` does.
    """
    if asked is None:
        asked = ImportJob.objects.filter(pk=job_id).values_list("actor_id", flat=True).first()
    return account_now(asked)


def account_now(pk: UUID | None) -> Actor | None:
    """Return an account with the roles held now, or None for a command, which has none.

    Raises `OutOfScopeError` for an account that cannot be logged in to any more.
    """
    if pk is None:
        return None
    user = User.objects.with_assignments().filter(pk=pk, is_active=True).first()
    if user is None:
        raise OutOfScopeError("Whoever asked for this no longer has an account.")
    return user


def require_importer(by: Actor | None, job: ImportJob | None = None) -> None:
    """Refuse whoever may not import for the whole institution, or may not work on `job`.

    A file may name any row of the institution. A command has no actor. A worker asks again, because
    a role may have ended since the step was asked for.
    """
    if by is None:
        return
    if not scopes_of(by, "interop.add_importjob").everywhere:
        raise OutOfScopeError("Imports are for those who may write for the whole institution.")
    if job is not None and not visible(ImportJob.objects.filter(pk=job.pk), by, to="manage").exists():
        raise OutOfScopeError("The import is not among those that whoever asked for this may work on.")


@transaction.atomic
def move(job: ImportJob, *, state: str, by: Actor | None, at: datetime, reason: str = "", **facts: Any) -> ImportJob:
    """Move a job to another state, with the facts that go with it; refused with `illegal_transition`."""
    before = job.state
    require_transition(job, state)
    crud.update(job, {"state": state, **facts}, by=by)
    record(job, came_from=before, by=by, at=at, reason=reason)
    return job


def record(job: ImportJob, *, came_from: str, by: Actor | None, at: datetime, reason: str) -> ImportJobEvent:
    """Put a step that brought a job to its state, or left it there, on record."""
    values = {
        "job": job, "from_state": came_from, "to_state": job.state, "actor": by, "reason": reason, "happened_at": at
    }  # fmt: skip
    return crud.create(ImportJobEvent, values)


def require_options(by: Actor | None, options: Mapping[str, Any]) -> None:
    """Refuse whoever may not waive the rules of enrolment everywhere, when the options of an import do."""
    if by is None or not options.get(BEYOND_CAPACITY) or scopes_of(by, OVERRIDE).everywhere:
        return
    raise OverrideNotPermittedError(field="options")


def require_transition(job: ImportJob, state: str) -> None:
    """Raise `TransitionError` when a job cannot go from its state to another."""
    allowed = TRANSITIONS[job.state]
    if state not in allowed:
        raise TransitionError(
            f"An import that is {job.state} cannot become {state}.", meta={"allowed": sorted(allowed)}
        )


def settle(job: ImportJob, *, state: str, by: Actor | None, at: datetime, **facts: Any) -> ImportJob:
    """Move a job to a state in which it may be in force, though another job brought the same file in meanwhile.

    Its rows are written and stay so; that there are two is said among its errors.
    """
    try:
        return move(job, state=state, by=by, at=at, **facts)
    except TransitionError:
        raise
    except DomainError as twice:
        job.refresh_from_db()
        facts |= {"errors": [*facts.get("errors", ()), twice.as_dict()], "is_forced": True}
        return move(job, state=state, by=by, at=at, **facts)


def locked(job_id: UUID, run_id: UUID | None = None) -> ImportJob:
    """Lock a job until the transaction ends; raise `SupersededError` when another run has taken it over."""
    job = ImportJob.objects.select_for_update(of=("self",)).select_related("actor").filter(pk=job_id).first()
    if job is None:
        raise MissingError("There is no such import.")
    if run_id is not None and job.run_id != run_id:
        raise SupersededError
    return job


@transaction.atomic
def begin(job_id: UUID, *, state: str, by: Actor | None, run_id: UUID | None, at: datetime, **facts: Any) -> ImportJob:
    """Take a job over for `by` and move it to a working state, in which it may be already when it was interrupted.

    `run_id` is the name under which the caller works on it; without one, a name is made up.
    """
    job = locked(job_id)
    if job.state != state:
        require_transition(job, state)
    require_importer(by, job)
    require_options(by, job.options)
    facts["run_id"] = run_id or uuid4()
    if job.state == state:
        return crud.update(job, facts, by=by)
    return move(job, state=state, by=by, at=at, **facts)
