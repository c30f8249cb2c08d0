"""The states of an import, and who works on it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from accounts.assignments import scopes_of
from core import crud
from core.errors import ConflictError, DomainError, MissingError, OutOfScopeError
from core.visibility import Actor
from interop.models import ImportJob, ImportJobEvent
from interop.models import ImportState as State

TRANSITIONS: Mapping[str, Collection[str]] = {
    State.UPLOADED: {State.VALIDATING},
    State.VALIDATING: {State.VALIDATED, State.FAILED},
    State.VALIDATED: {State.VALIDATING, State.APPLYING},
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


def require_importer(by: Actor | None) -> None:
    """Refuse whoever may not import for the whole institution: a file may name any of its rows.

    A command has no actor. A worker asks again, because a role may have ended since the upload.
    """
    if by is not None and not scopes_of(by, "interop.add_importjob").everywhere:
        raise OutOfScopeError("Imports are for those who may write for the whole institution.")


@transaction.atomic
def move(job: ImportJob, *, state: str, by: Actor | None, at: datetime, reason: str = "", **facts: Any) -> ImportJob:
    """Move a job to another state, with the facts that go with it; refused with `illegal_transition`."""
    before = job.state
    if state not in TRANSITIONS[before]:
        raise TransitionError(
            f"An import that is {before} cannot become {state}.", meta={"allowed": sorted(TRANSITIONS[before])}
        )
    crud.update(job, {"state": state, **facts}, by=by)
    crud.create(
        ImportJobEvent,
        {"job": job, "from_state": before, "to_state": state, "actor": by, "reason": reason, "happened_at": at},
    )
    return job


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
def begin(job_id: UUID, *, state: str, run_id: UUID | None, at: datetime, **facts: Any) -> ImportJob:
    """Take a job over and move it to a working state, in which it may be already when it was interrupted.

    `run_id` is the name under which the caller works on it; without one, a name is made up.
    """
    job = locked(job_id)
    require_importer(job.actor)
    facts["run_id"] = run_id or uuid4()
    if job.state == state:
        return crud.update(job, facts)
    return move(job, state=state, by=job.actor, at=at, **facts)
