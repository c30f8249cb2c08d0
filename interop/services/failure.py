"""What becomes of an import whose step was refused, or ended in an error that nobody anticipated."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core import crud
from core.errors import DomainError
from core.visibility import Actor
from interop.models import IN_FORCE
from interop.models import ImportState as State
from interop.services import reversal, states

GOES_ON = "The import stopped on an internal error; it can be resumed or taken back."
STANDS = "Taking the import back stopped on an internal error; every row is as it was before. Try again."


@transaction.atomic
def fail(job_id: UUID, run_id: UUID, error: Exception, *, by: Actor | None) -> None:
    """Record that a run on behalf of `by` broke off; what it has written stays, and it can be resumed.

    A run that took the import back has changed nothing: the import is in force as before. Raises
    `SupersededError`, and leaves the job alone, when another run has taken it over.
    """
    job = states.locked(job_id, run_id)
    reason = type(error).__name__
    if job.state in (State.VALIDATING, State.APPLYING):
        states.move(job, state=State.FAILED, by=by, at=timezone.now(), reason=reason, errors=_errors(GOES_ON))
    elif job.state == State.REVERTING:
        reversal.give_up(job, _errors(STANDS), reason)


@transaction.atomic
def refuse(job_id: UUID, run_id: UUID, refused: DomainError, *, by: Actor | None) -> None:
    """Record that a step which `by` asked for was refused when a worker came to it, and why.

    The job has then failed, and can be resumed by whoever may. It keeps its state where that says
    more: while another run works on it, and when it was taken back, so that nothing of it is in force.
    Of a job that is past the step nothing is recorded.
    """
    job = states.locked(job_id)
    if job.state in (*IN_FORCE, State.REVERTING):
        return
    now, reason = timezone.now(), refused.error_code
    errors = [single.as_dict() for single in refused.violations]
    is_anothers = job.state in (State.VALIDATING, State.APPLYING) and job.run_id != run_id
    if State.FAILED in states.TRANSITIONS[job.state] and not is_anothers:
        states.move(job, state=State.FAILED, by=by, at=now, reason=reason, errors=errors)
    else:
        crud.update(job, {"errors": errors}, by=by)
        states.record(job, came_from=job.state, by=by, at=now, reason=reason)


def _errors(detail: str) -> list[dict[str, object]]:
    return [{"code": "internal_error", "field": "", "detail": detail, "meta": {}}]
