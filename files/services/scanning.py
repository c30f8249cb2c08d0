"""Letting a scanner look at what was uploaded, and holding back what it has not found to be clean.

A content is scanned once for all files that have it, and again from time to time, since signatures come later than what
they are for. While the scanner is away nothing becomes clean; what has been found clean stays so.
"""

import logging
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from audit.services import record
from core import crud
from core.errors import ConflictError
from files import clamd
from files.clamd import ScannerUnavailableError, Verdict
from files.models import LONGEST_FINDING, FileAsset, ScanState
from files.store import store

logger = logging.getLogger(__name__)
# Well below the time limit of a task; what is left is the next one's.
SECONDS_AT_A_TIME = 300
# Where the scanner could not judge, it may do so once it is as it should be.
TRIED_AGAIN_AFTER = timedelta(hours=1)


class NotScannedError(ConflictError):
    """Nothing has found the file clean yet; it may be asked for again later."""

    code = "file_not_scanned"
    title = "The file has not been found free of viruses yet."


class InfectedError(ConflictError):
    """The scanner found something harmful in the file."""

    code = "file_infected"
    title = "The file is held back: something harmful was found in it."


def require_released(asset: FileAsset) -> None:
    """Raise `InfectedError` for what is harmful, and `NotScannedError` for what a scanner has not found clean."""
    if asset.scan_state == ScanState.INFECTED:
        raise InfectedError
    if settings.CLAMD_URL and asset.scan_state != ScanState.CLEAN:
        raise NotScannedError(meta={"scan_state": asset.scan_state})


def scan_due(*, at: datetime) -> int:
    """Scan what nobody has, and again what was scanned long ago; return how many contents.

    Raises `ScannerUnavailableError` as soon as the scanner is away.
    """
    until, scanned = time.monotonic() + SECONDS_AT_A_TIME, 0
    while settings.CLAMD_URL and time.monotonic() < until and (sha256 := _next(at)) is not None:
        scan_content(sha256, at=at)
        scanned += 1
    return scanned


def scan_content(sha256: str, *, at: datetime) -> None:
    """Scan a content, and note as of `at` what was found, in every file that has it.

    Raises `ScannerUnavailableError` when the scanner is away; one that is there and does not answer cannot judge.
    """
    try:
        with store().opened(sha256) as content:
            verdict = clamd.scan(content)
    except FileNotFoundError:
        verdict = Verdict(ScanState.UNSCANNABLE, "The content is missing.")
    except ScannerUnavailableError as error:
        clamd.ping()
        verdict = Verdict(ScanState.UNSCANNABLE, f"No answer: {error}"[:LONGEST_FINDING])
    _note(sha256, verdict, at=at)


def _next(at: datetime) -> str | None:
    """Return what is to be scanned first: what nobody has, and then what was scanned longest ago."""
    due = Q(scanned_at=None) | Q(scanned_at__lte=at - settings.FILES_RESCANNED_AFTER)
    due |= Q(scan_state=ScanState.UNSCANNABLE, scanned_at__lte=at - TRIED_AGAIN_AFTER)
    files = FileAsset.objects.filter(due).order_by(F("scanned_at").asc(nulls_first=True), "sha256")
    return files.values_list("sha256", flat=True).first()


@transaction.atomic
def _note(sha256: str, verdict: Verdict, *, at: datetime) -> None:
    # Whoever began later has seen newer signatures.
    files = FileAsset.objects.select_for_update().filter(sha256=sha256).exclude(scanned_at__gte=at)
    for asset in files.order_by("pk"):
        before = asset.scan_state
        if before == verdict.state and asset.finding == verdict.finding:
            # Nothing that a reader is shown.
            FileAsset.objects.filter(pk=asset.pk).update(scanned_at=at)
            continue
        crud.update(asset, {"scan_state": verdict.state, "finding": verdict.finding, "scanned_at": at})
        if ScanState.INFECTED in (before, verdict.state):
            action = "files.quarantined" if verdict.state == ScanState.INFECTED else "files.released"
            record(action=action, actor=None, subject=asset, detail={"sha256": sha256, "finding": verdict.finding})
            logger.warning(action, extra={"file": str(asset.pk), "finding": verdict.finding})
