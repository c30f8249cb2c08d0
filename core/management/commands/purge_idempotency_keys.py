"""Forget the answers whose keys have expired."""

from typing import Any

from django.core.management.base import BaseCommand

from core.idempotency import purge_expired


class Command(BaseCommand):
    """`manage.py purge_idempotency_keys` is for a daily schedule; an expired key is ignored even before."""

    help = "Delete remembered answers whose keys have expired."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{purge_expired()} keys purged.")
