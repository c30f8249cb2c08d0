"""The steps of an import that a worker takes. Each carries an id; the truth lies in the job's rows.

A step may be asked for more than once: one that has no place any more is refused by the job's
state, which is no failure. One that is killed is taken again, from where it stopped.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from uuid import UUID, uuid4

from celery import shared_task

from core.errors import DomainError
from core.provenance import acting_as
from interop import services
from interop.models import ImportJob, ImportState

logger = logging.getLogger(__name__)
# Well below the time limit of a task; a longer import goes on in the next one.
SECONDS_AT_A_TIME = 600


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def validate_import(job_id: str) -> None:
    """Find out what a file would do."""
    _take(services.validate, job_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def apply_import(job_id: str) -> None:
    """Write a validated file's rows, from where an earlier try stopped."""
    until = time.monotonic() + SECONDS_AT_A_TIME
    job = _take(partial(services.apply, until=until), job_id)
    if job is not None and job.state == ImportState.APPLYING:
        apply_import.delay(job_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def take_import_back(job_id: str) -> None:
    """Bring every row that a file changed back to what it was."""
    _take(services.take_back, job_id)


def _take(step: Callable[..., ImportJob], job_id: str) -> ImportJob | None:
    """Take a step and return the job; None when the job's state no longer calls for it."""
    run_id = uuid4()
    on_whose_behalf = ImportJob.objects.filter(pk=job_id).values_list("actor", flat=True).first()
    try:
        with acting_as(on_whose_behalf):
            return step(UUID(job_id), run_id=run_id)
    except DomainError as refused:
        logger.info("import.step_refused", extra={"job_id": job_id, "code": refused.error_code})
        return None
    except Exception as error:
        with suppress(services.SupersededError):
            services.fail(UUID(job_id), run_id, error)
        raise
