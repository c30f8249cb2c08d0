"""What the edge asks before it serves an answer that it has kept: who calls, and what they are shown."""

import time
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.request import Request

from accounts.tokens import AccessClaims
from core.api.edge import CALLER, RESOURCES, is_through_edge, resources
from core.api.permissions import AUTHENTICATED
from core.api.remembered import sight_of, stamp
from core.api.views import PlainView
from core.cache.tags import parts

# For as long the edge may go without asking, unless a tag of the caller moves before.
LONGEST = 30.0


class CallerView(PlainView):
    """Tells the edge, and nobody else, in which sights a log-in reads and what takes these away from it.

    Whoever has to set something right first, and programs with API keys, are answered by the application alone.
    """

    schema = None
    required_permissions = {"get": AUTHENTICATED}
    # Counted by the guard; the caller's own limits count what the caller asks.
    throttle_classes = []
    takes_keys = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not is_through_edge(request._request):
            raise Http404
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> HttpResponseBase:
        response = HttpResponse(status=status.HTTP_204_NO_CONTENT)
        user: Any = request.user
        present, seconds = stamp(), _seconds(user, request.auth)
        if present is not None and seconds >= 1:
            sights = [sight_of(user, alone=False), sight_of(user, alone=True)]
            tags = [*parts("account", user.pk), "signing-keys"]
            response[CALLER] = " ".join([present, str(seconds), *sights, *tags])
            response[RESOURCES] = resources()
        return response


def _seconds(user: Any, auth: Any) -> int:
    """Return for how many seconds the mere passing of time will not change who calls."""
    if not isinstance(auth, AccessClaims):
        return 0
    return int(min(LONGEST, user.good_until - time.monotonic(), auth.expires - time.time()))
