"""The steps of an import that a worker takes, and the tables that it makes. Each carries ids; the truth lies in rows.

A step is taken on behalf of whoever asked for it, with the roles they hold when the worker comes to
it. It may be asked for more than once: one that has no place any more is refused by the job's
state, which is no failure. Every other refusal is put on record with the job. A step that is killed
is taken again, from where it stopped.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from core.errors import DomainError, MissingError
from core.provenance import acting_as
from core.visibility import Actor
from interop import services
from interop.models import ImportJob, ImportJobEvent, ImportState

logger = logging.getLogger(__name__)
# Well below the time limit of a task; a longer import goes on in the next one.
SECONDS_AT_A_TIME = 600
# What says that somebody else has taken the step, or that it has no place any more.
OVERTAKEN = (services.SupersededError, services.TransitionError)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def validate_import(job_id: str, requested_by: str | None = None) -> None:
    """Find out what a file would do."""
    _take_for(requested_by, services.validate, job_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def apply_import(job_id: str, requested_by: str | None = None) -> None:
    """Write a validated file's rows, from where an earlier try stopped."""
    until = time.monotonic() + SECONDS_AT_A_TIME
    job = _take_for(requested_by, partial(services.apply, until=until), job_id)
    if job is not None and job.state == ImportState.APPLYING:
        apply_import.delay(job_id, requested_by)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def take_import_back(job_id: str) -> None:
    """Bring every row that a file changed back to what it was."""
    run_id = uuid4()
    asked = ImportJobEvent.objects.filter(job=UUID(job_id), to_state=ImportState.REVERTING).order_by(
        "happened_at", "id"
    )
    try:
        with acting_as(asked.values_list("actor", flat=True).last()):
            services.take_back(UUID(job_id), run_id=run_id)
    except DomainError as refused:  # which the job says by now
        _log(job_id, refused)
    except Exception as error:
        _fail(job_id, run_id, error, by=None)
        raise


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def make_export(export_id: str) -> None:
    """Make a table for whoever asked for it."""
    services.make_export(UUID(export_id), at=timezone.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def tend_exports() -> None:
    """Empty exports that have had their time, and have those made that nobody is at."""
    carry_out("tend_exports", lambda: services.tend_exports(at=timezone.now()))


def _take_for(requested_by: str | None, step: Callable[..., ImportJob], job_id: str) -> ImportJob | None:
    """Take a step for whoever asked for it and return the job; None when the step was refused."""
    pk, run_id = UUID(job_id), uuid4()
    by: Actor | None = None
    try:
        by = services.requester(pk, UUID(requested_by) if requested_by else None)
        with acting_as(by.pk if by else None):
            return step(pk, by=by, run_id=run_id)
    except DomainError as refused:
        _log(job_id, refused)
        if not isinstance(refused, OVERTAKEN):
            with suppress(MissingError):  # it was deleted
                services.refuse(pk, run_id, refused, by=by)
        return None
    except Exception as error:
        _fail(job_id, run_id, error, by=by)
        raise


def _fail(job_id: str, run_id: UUID, error: Exception, *, by: Actor | None) -> None:
    with suppress(services.SupersededError):
        services.fail(UUID(job_id), run_id, error, by=by)


def _log(job_id: str, refused: DomainError) -> None:
    logger.info("import.step_refused", extra={"job_id": job_id, "code": refused.error_code})
