"""What a worker does for files."""

import logging

from celery import shared_task
from django.utils import timezone

from core.chores import carry_out
from files import services

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def purge_files() -> None:
    """Forget deleted files that have had their time, and delete bytes that no file has."""
    carry_out("purge_files", lambda: services.collect_garbage(at=timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def scan_files() -> None:
    """Scan what nobody has scanned, and again what was scanned long ago."""
    carry_out("scan_files", lambda: services.scan_due(at=timezone.now()))


# What cannot be scanned now stays pending, and is the chore's: nothing is to be tried again here.
@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def scan_content(sha256: str) -> None:
    """Scan what was just uploaded."""
    try:
        services.scan_content(sha256, at=timezone.now())
    except services.ScannerUnavailableError:
        logger.warning("files.scanner_unavailable", exc_info=True)
