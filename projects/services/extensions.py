"""More time for what is due: asked for by those who do a project, decided by whoever supervises it."""

from datetime import datetime

from django.db import transaction

from core import crud
from core.db.constraints import refusal
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.visibility import Actor
from projects.models import ExtensionRequest, ExtensionStatus, Milestone
from projects.selectors import people_who_do
from projects.services.milestones import require_open


class ExtensionNotLaterError(InvalidError):
    """The time asked for would not be later than what is there."""

    code = "extension_not_later"
    title = "An extension ends after the time until which it is due anyway."
    field = "until"


class ExtensionOutOfCycleError(InvalidError):
    """More time would be given than the cycle has."""

    code = "milestone_out_of_cycle"
    title = "An extension ends before the cycle does."
    field = "until"


class ExtensionDecidedError(ConflictError):
    """Somebody has decided otherwise."""

    code = "extension_decided"
    title = "Somebody has decided about this request; it stays as it was decided."
    field = "status"


class OwnExtensionError(ForbiddenError):
    """Whoever asked for more time, or does the project, would decide."""

    code = "self_approval"
    title = "Nobody decides about more time that they asked for, or that is for their own project."


refusal("projects_extensionrequest_immutable", ExtensionDecidedError)


@transaction.atomic
def request_extension(*, by: Actor | None, milestone: Milestone, until: datetime, reason: str) -> ExtensionRequest:
    """Ask for more time.

    Refused with `extension_not_later`, `milestone_out_of_cycle`, `milestone_not_open` once it was handed in, and
    `extension_pending` while somebody's request waits.
    """
    _require_possible(milestone, until)
    values = {"milestone": milestone, "until": until, "reason": reason, "requested_by": by}
    return crud.create(ExtensionRequest, values)


@transaction.atomic
def grant_extension(request: ExtensionRequest, *, by: Actor | None, at: datetime, answer: str = "") -> ExtensionRequest:
    """Give the time that was asked for; a granted one stays as it is.

    Refused with `self_approval`, `extension_decided`, and as the request would be by now.
    """
    if request.status == ExtensionStatus.GRANTED:
        return request
    _require_undecided(request, by)
    milestone = Milestone.objects.select_for_update(no_key=True).get(pk=request.milestone_id)
    _require_possible(milestone, request.until)
    crud.update(milestone, {"extended_until": request.until})
    return _decide(request, ExtensionStatus.GRANTED, by=by, at=at, answer=answer)


def refuse_extension(
    request: ExtensionRequest, *, by: Actor | None, at: datetime, answer: str = ""
) -> ExtensionRequest:
    """Give no more time; a refused one stays as it is. Refused with `self_approval` or `extension_decided`."""
    if request.status == ExtensionStatus.REFUSED:
        return request
    _require_undecided(request, by)
    return _decide(request, ExtensionStatus.REFUSED, by=by, at=at, answer=answer)


def _require_possible(milestone: Milestone, until: datetime) -> None:
    require_open(milestone)
    if until <= milestone.due:
        raise ExtensionNotLaterError(meta={"due_at": milestone.due.isoformat()})
    if until > milestone.project.cycle.ends_at:
        raise ExtensionOutOfCycleError


def _require_undecided(request: ExtensionRequest, by: Actor | None) -> None:
    people = people_who_do(request.milestone.project)
    may_not_be_same(by, OwnExtensionError, accounts=[request.requested_by_id], people=people)
    if request.status != ExtensionStatus.REQUESTED:
        raise ExtensionDecidedError


def _decide(
    request: ExtensionRequest, status: ExtensionStatus, *, by: Actor | None, at: datetime, answer: str
) -> ExtensionRequest:
    return crud.update(request, {"status": status, "answer": answer, "decided_by": by, "decided_at": at})
