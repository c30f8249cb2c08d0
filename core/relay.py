"""Deliver what the outbox holds: each subscriber hears of each committed event exactly once in effect.

An event is taken, its subscribers run and the note of who has heard it is written in one
transaction, so a relay killed at any instant has either done all of that or nothing. Any number of
relays may run at once; one skips the events another holds. A subscriber that fails loses its own
writes only, and its event is tried again ever more slowly until it is given up as dead; neither
keeps other events waiting.

Events are taken in the order of their recording as far as they are visible. One that becomes
visible late, because its transaction took long, is taken when it does: there is no position that
could have moved past it.

An event whose name is not known here was recorded by another release. It is left to that one's
relays: whoever takes an event that it has no subscriber for would settle it unheard.
"""

import copy
import logging
import traceback
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from core.db.notifications import Listener
from core.db.purging import purge
from core.errors import DomainError
from core.events import heard_names, subscribers_of, unheard_names
from core.logging import describe
from core.models import OutboxEvent
from core.models.outbox import CHANNEL

logger = logging.getLogger(__name__)

BATCH = 200
UNHEARD_BATCH = 5_000
MAX_ATTEMPTS = 16
SLOWEST_RETRY = timedelta(hours=1)
POLL_SECONDS = 1.0
KEPT_DAYS = 7


class Relay:
    """One relay: `run` until stopped, or `drain` once."""

    def __init__(self, *, max_attempts: int = MAX_ATTEMPTS, poll_seconds: float = POLL_SECONDS) -> None:
        self.max_attempts = max_attempts
        self.poll_seconds = poll_seconds
        self.is_stopping = False

    def stop(self) -> None:
        """Let the event at hand be the last; safe to call from a signal handler."""
        self.is_stopping = True

    def run(self) -> None:
        """Deliver until `stop`; a database that goes away is waited for."""
        with Listener(CHANNEL) as listener:
            while not self.is_stopping:
                try:
                    self.drain()
                except (OperationalError, InterfaceError) as error:
                    logger.warning("relay.database_lost", extra={"error": type(error).__name__})
                    connection.close()
                if not self.is_stopping:
                    listener.wait(self.poll_seconds)

    def drain(self) -> int:
        """Deliver everything due and return how many events are now known to all their subscribers."""
        delivered = self._settle_unheard()
        heard = OutboxEvent.objects.due().filter(name__in=heard_names()).order_by("seq")
        while batch := list(heard.values_list("pk", flat=True)[:BATCH]):
            outcomes = []
            for pk in batch:
                if self.is_stopping:
                    return delivered
                outcomes.append(self.deliver(pk))
            delivered += outcomes.count(True) + self._settle_unheard()
            if all(outcome is None for outcome in outcomes):
                break  # other relays hold everything that is left
        return delivered

    def _settle_unheard(self) -> int:
        """Settle at once what nobody subscribes to: an import records thousands of events that others wait behind."""
        settled = 0
        unheard = OutboxEvent.objects.due().filter(name__in=unheard_names()).order_by("seq")
        while not self.is_stopping:
            with transaction.atomic():
                pks = list(unheard.select_for_update(skip_locked=True).values_list("pk", flat=True)[:UNHEARD_BATCH])
                OutboxEvent.objects.filter(pk__in=pks).update(delivered_at=Now())
            settled += len(pks)
            if len(pks) < UNHEARD_BATCH:
                break
        return settled

    def deliver(self, pk: UUID) -> bool | None:
        """Try one event: True if every subscriber has heard it, False if one failed, None if it is not to be had."""
        try:
            return self._deliver(pk)
        except Exception as error:
            # The whole transaction failed: it could not commit, or a subscriber broke the connection. Unless the
            # event is charged for that, it stands first in the queue for ever.
            logger.exception("outbox.transaction_failed", extra={"event_id": pk})
            connection.close()
            self._charge(pk, error)
            return False

    @transaction.atomic
    def _deliver(self, pk: UUID) -> bool | None:
        event = OutboxEvent.objects.due().select_for_update(skip_locked=True).filter(pk=pk).first()
        if event is None:
            return None
        failure = ""
        for name, subscriber in subscribers_of(event.name).items():
            if name in event.delivered_to:
                continue
            try:
                with transaction.atomic():
                    subscriber(copy.deepcopy(event.payload))
                    # Otherwise a broken foreign key would show at the commit and take the others along.
                    connection.check_constraints()
            except Exception as error:
                failure = f"{name}: {_summary(error)}"
                logger.exception("outbox.subscriber_failed", extra={**_facts(event), "subscriber": name})
            else:
                event.delivered_to.append(name)
        rows = OutboxEvent.objects.filter(pk=pk)
        if not failure:
            rows.update(delivered_to=event.delivered_to, delivered_at=Now())
            return True
        rows.update(delivered_to=event.delivered_to)
        self._postpone(event, failure)
        return False

    @transaction.atomic
    def _charge(self, pk: UUID, error: Exception) -> None:
        event = OutboxEvent.objects.pending().select_for_update(skip_locked=True).filter(pk=pk).first()
        if event is not None:
            self._postpone(event, _summary(error))

    def _postpone(self, event: OutboxEvent, failure: str) -> None:
        """Try the event again later, twice as late each time, or give it up."""
        rows = OutboxEvent.objects.filter(pk=event.pk)
        attempts = event.attempts + 1
        if attempts >= self.max_attempts:
            rows.update(attempts=attempts, last_error=failure[:500], dead_at=Now())
            logger.error("outbox.event_dead", extra={**_facts(event), "attempts": attempts, "failure": failure})
            return
        delay = min(timedelta(seconds=2**attempts), SLOWEST_RETRY)
        rows.update(attempts=attempts, last_error=failure[:500], available_at=Now() + delay)


def revive(*, name: str = "") -> int:
    """Let dead events (those called `name`, if given) be tried from the start; return how many there were."""
    rows = OutboxEvent.objects.dead()
    if name:
        rows = rows.filter(name=name)
    return rows.update(dead_at=None, attempts=0, available_at=Now())


def purge_delivered(*, older_than: timedelta = timedelta(days=KEPT_DAYS), batch: int = 5000) -> int:
    """Forget events that were delivered long enough ago, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    # By primary key, which is by time: the oldest come first and each batch begins where the last ended.
    return purge(OutboxEvent.objects.filter(delivered_at__lt=Now() - older_than), order="pk", batch=batch)


def _summary(error: Exception) -> str:
    """Name an error and where it arose; its text may quote the payload, which has no business in a second column."""
    kind = type(error).__qualname__
    if isinstance(error, DomainError):
        return f"{kind} {error.error_code}"
    if isinstance(error, DatabaseError):
        return f"{kind} {describe(error)}".rstrip()
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{kind} in {frame.name}, line {frame.lineno} of {Path(frame.filename).name}"


def _facts(event: OutboxEvent) -> dict[str, object]:
    return {"event_name": event.name, "event_id": event.pk, "seq": event.seq, "attempt": event.attempts + 1}
