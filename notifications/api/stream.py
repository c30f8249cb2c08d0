"""HTTP for the stream: what the caller is told, while they listen (Server-Sent Events)."""

import random
from collections.abc import Iterator
from http import HTTPMethod, HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from core.api.exceptions import ServiceUnavailable
from core.api.limited import LimitedMixin
from core.api.parameters import UnknownParameterError
from core.api.parsers import refuse_unreadable_query
from core.api.permissions import AUTHENTICATED
from core.api.renderers import dumps
from core.errors import ForbiddenError, InvalidError, raise_all
from core.security.origins import is_welcome
from core.streams import EVENT_STREAM, HEARTBEAT, EventStream, event, let_go, opening
from notifications.api.serializers import NotificationSerializer
from notifications.places import NoPlaceError, Place
from notifications.seats import LEFT, Seat
from notifications.selectors import place_from
from notifications.streaming import CrowdedError, FullError, Hub, hub

# Seconds between heartbeats.
HEARTBEAT_EVERY = 15.0
# Seconds until a listener whose stream has ended comes back: not all of a server that stops at the same moment.
COME_BACK_AFTER = (2.0, 6.0)
LAST = "Last-Event-ID"


class UnreadableLastEventError(InvalidError):
    """Whoever comes back names an event that no stream has sent."""

    code = "unknown_event_id"
    title = "Last-Event-ID is the id of an event of this stream."
    field = LAST


class StrangeOriginError(ForbiddenError):
    """A browser asks for a page of another site."""

    code = "origin_not_allowed"
    title = "Pages of this origin may not listen here."


class NotListening(APIException):
    """Whoever asks would wait for an answer that does not end."""

    status_code = HTTPStatus.NOT_ACCEPTABLE
    default_code = "events_not_accepted"
    default_detail = "This is a stream of events: say in Accept that you take text/event-stream."


class TooManyStreams(APIException):
    """An account listens often enough."""

    status_code = HTTPStatus.TOO_MANY_REQUESTS
    default_code = "too_many_streams"
    default_detail = "This account listens in as many places as it may; end another stream first."
    wait = 10


class StreamView(LimitedMixin):
    """What the caller is told, as soon as it is."""

    takes_keys = False
    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(
        operation_id="notifications_stream",
        parameters=[
            OpenApiParameter(
                LAST, OpenApiTypes.STR, OpenApiParameter.HEADER,
                description="The id of the last event that was received: what was told since comes first.",
            )
        ],
        responses={(200, EVENT_STREAM): OpenApiTypes.STR, 406: None},
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponseBase:
        """Listen to what is told.

        Each notification is an event `notification`, whose data is as in the list.

        The stream ends with an event `end`, whose data says why: `token_expired`, `session_ended`, `server_stops` or
        `unavailable`. Whoever comes back with the id of the last event is told what they have missed, and nothing
        twice.
        """
        refuse_unreadable_query(request)
        raise_all(
            [
                UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
                for name in request.query_params
            ]
        )
        if not is_welcome(request):
            raise StrangeOriginError
        if not _takes_events(request.headers.get("Accept", "")):
            raise NotListening
        place = _place(request.headers.get(LAST, ""))
        if request.method == HTTPMethod.HEAD:
            return HttpResponse(content_type=EVENT_STREAM)
        at, start = hub(), place_from(place)
        claims: Any = request.auth
        seat = Seat(claims, start, request.META.get("gunicorn.socket"))
        try:
            at.join(seat)
        except CrowdedError:
            raise TooManyStreams from None
        except FullError:
            raise ServiceUnavailable from None
        return EventStream(_events(at, seat, start), at_end=lambda: at.leave(seat))


def _takes_events(accept: str) -> bool:
    return any(each.partition(";")[0].strip().lower() == EVENT_STREAM for each in accept.split(","))


def _place(text: str) -> Place | None:
    try:
        return Place.read(text) if text else None
    except NoPlaceError:
        raise UnreadableLastEventError from None


def _events(at: Hub, seat: Seat, place: Place) -> Iterator[bytes]:
    """Yield what an account is told from a place on, and something at least every few seconds."""
    # The request has asked the database; a stream would keep what it asked by for as long as it lasts.
    let_go()
    yield opening(place=str(place), retry=random.SystemRandom().uniform(*COME_BACK_AFTER))
    while not seat.over():
        rows = seat.take(HEARTBEAT_EVERY)
        if seat.is_rung:
            at.look()
        if not rows and not seat.over():
            yield HEARTBEAT
        shown: Any = NotificationSerializer([row for row, _ in rows], many=True).data
        for (_, after), data in zip(rows, shown, strict=True):
            if seat.over():  # what was read and not sent comes when they are back
                break
            yield event(name="notification", data=dumps(data), place=str(after))
    if seat.over() != LEFT:
        yield event(name="end", data=dumps({"reason": seat.over()}))
