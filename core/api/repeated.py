"""Lists that were asked for before, made again by their statement alone.

All that a view settles before it reads the rows of a page, it would settle again for the same request: the caller's
sight has become conditions, filters and ordering have, what is shown has become columns. All of it stands in one
statement. Run again, it finds the page as it is by then; nothing that is shown was remembered. What is disclosed is
put on record as ever.

It holds as long as what the statement was made of: the request, the caller and what they may do, the custom fields
there are, and the day. A view says that nothing else decides what its lists show (`repeats`).
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, router
from rest_framework.request import Request

from core.api import etag
from core.api.bulkhead import WAITED, room_of
from core.api.exceptions import translated
from core.api.places import Place
from core.api.remembered import decide, has_usual_rules, stamp
from core.api.renderers import dumps, envelope
from core.api.rows import RenderedRows
from core.cache.answers import Answer
from core.cache.generations import Reading, asking_once, expect, generations
from core.db.positions import reading_from_replicas
from core.errors import MissingError
from core.models import CustomField
from core.provenance import answering

logger = logging.getLogger(__name__)

# What is made of the definitions of custom fields is made of them all.
DEFINITIONS = (CustomField._meta.label_lower,)


class Repeat:
    """What it takes to make a page again, without the view or its request."""

    headers = ()

    def __init__(self, rows: RenderedRows, place: Place, disclose: Callable[..., None] | None, stamp: str) -> None:
        self.stamp = stamp
        self.tags: Sequence[str] = place.tags
        self._rows = rows
        self._place = place
        self._disclose = disclose

    def context(self) -> AbstractContextManager[Any]:
        stack = ExitStack()
        stack.enter_context(asking_once())
        if settings.DATABASE_REPLICA_URLS:
            stack.enter_context(reading_from_replicas())
        expect(self.tags)
        return stack

    def known(self, reading: Reading) -> Answer | None:
        return None

    def made(self, request: Any) -> Answer | None:
        room = room_of(request.resolver_match.route)
        if not room.enter(settings.DATABASE_POOL_TIMEOUT):
            request.META[WAITED] = True
            return None
        try:
            with answering(request):
                return self._answer()
        except MissingError:  # the list has become shorter
            return None
        except Exception as error:
            # What may happen to any question, happens to the view's or does not; all else is a fault of what is here.
            if translated(error) is None:
                logger.exception("repeat.failed")
            else:
                logger.warning("repeat.refused", extra={"reason": type(error).__name__})
            return None
        finally:
            room.leave()
            close_old_connections()

    def _answer(self) -> Answer:
        place = self._place.again()
        page, said = place.page(self._rows.found_again(router.db_for_read(self._rows.model)), self._rows.key)
        if page and self._disclose is not None:
            self._disclose(subjects=self._rows.subjects(page))
        data, meta = self._rows.data(page), {"pagination": said}
        return Answer(etag.of([data, meta]), dumps(envelope(data, meta=meta)))


def offer_again(view: Any, request: Request, rows: Any, place: Place, disclose: Callable[..., None] | None) -> None:
    """Let a page that a view has just made be made again for whoever asks the same."""
    present = stamp()
    if (
        present is None
        or not view.repeats
        or not isinstance(rows, RenderedRows)
        or rows.settled is None
        or "search" in request.query_params  # asks twice: for words, and for what resembles them
        or not has_usual_rules(view)
        or connection.in_atomic_block
    ):
        return
    reading = generations().read(DEFINITIONS)
    if reading is not None:
        decide(request, Repeat(rows, place, disclose, present), tags=DEFINITIONS, reading=reading)
