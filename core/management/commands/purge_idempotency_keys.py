"""Forget the answers whose keys have expired."""

from typing import Any

from core.idempotency import purge_expired
from core.management.chore import ChoreCommand


class Command(ChoreCommand):
    """`manage.py purge_idempotency_keys` does by hand what the schedule does; an expired key is ignored even before."""

    help = "Delete remembered answers whose keys have expired."
    chore = "purge_idempotency_keys"
    done = "{count} keys purged."

    def work(self, **_options: Any) -> int:
        return purge_expired()
