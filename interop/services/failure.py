"""What becomes of an import whose run ended in an error that nobody anticipated."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from interop.models import ImportState as State
from interop.services import reversal, states

GOES_ON = "The import stopped on an internal error; it can be resumed or taken back."
STANDS = "Taking the import back stopped on an internal error; every row is as it was before. Try again."


@transaction.atomic
def fail(job_id: UUID, run_id: UUID, error: Exception) -> None:
    """Record that a run broke off; what it has written stays, and it can be resumed.

    A run that took the import back has changed nothing: the import is in force as before. Raises
    `SupersededError`, and leaves the job alone, when another run has taken it over.
    """
    job = states.locked(job_id, run_id)
    reason = type(error).__name__
    if job.state in (State.VALIDATING, State.APPLYING):
        states.move(job, state=State.FAILED, by=job.actor, at=timezone.now(), reason=reason, errors=_errors(GOES_ON))
    elif job.state == State.REVERTING:
        reversal.give_up(job, _errors(STANDS), reason)


def _errors(detail: str) -> list[dict[str, object]]:
    return [{"code": "internal_error", "field": "", "detail": detail, "meta": {}}]
