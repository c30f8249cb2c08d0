"""How far a run has come, said to others while its transaction is still open."""

from types import TracebackType
from typing import Self

from django.db import connection

from interop.models import ImportJob
from interop.services.states import SupersededError

# A row that somebody has locked is not waited for: it may be this very run that would have to let go of it.
STATEMENT = """
UPDATE interop_importjob SET rows_done = %s WHERE id = (
    SELECT id FROM interop_importjob WHERE id = %s AND run_id = %s FOR NO KEY UPDATE SKIP LOCKED
)
"""


class Announcer:
    """Announces a job's `rows_done` over a connection of its own.

    Within somebody else's transaction it says nothing: there the job itself may be visible to nobody yet.
    """

    def __init__(self, job: ImportJob) -> None:
        self._job = job
        self._own = None if connection.in_atomic_block else connection.copy()

    def __enter__(self) -> Self:
        return self

    def __call__(self) -> None:
        """Say how far the job has come; raise `SupersededError` when another run has taken it over."""
        if self._own is not None:
            with self._own.cursor() as cursor:
                cursor.execute(STATEMENT, [self._job.rows_done, self._job.pk, self._job.run_id])
        if not ImportJob.objects.filter(pk=self._job.pk, run_id=self._job.run_id).exists():
            raise SupersededError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._own is not None:
            self._own.close()
