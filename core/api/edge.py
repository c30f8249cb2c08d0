"""What the application tells the edge, the proxy that keeps answers: which may be kept, and what a write has moved.

It is told in headers that the edge takes off again. Nobody else is told: a request has to say that it comes through the
edge, and its connection from one of `TRUSTED_PROXIES`. What the edge does with it: `docs/explanation/consistency.md`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver

from core.api.remembered import KEPT, RememberedReadMixin, is_plain
from core.cache.raised import EVERYTHING, noting
from core.cache.tags import END_OF_KEY
from core.security.addresses import is_from_proxy, networks_for

THROUGH_EDGE = "X-Edge"
RAISED, CALLER, RESOURCES = "X-Edge-Raised", "X-Edge-Caller", "X-Edge-Resources"
# A proxy reads so much of an answer's headers at once and refuses one with more.
LONGEST_RAISED = 2000

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_through_edge(request: HttpRequest) -> bool:
    """Say whether the edge passes a request on, and so takes off what it is told."""
    return request.headers.get(THROUGH_EDGE) == "1" and is_from_proxy(request)


class EdgeMiddleware:
    """Tells the edge with each answer what the request has moved."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_through_edge(request):
            response = self.get_response(request)
            del response[KEPT]
            return response
        with noting() as lines:
            response = self.get_response(request)
        if lines:
            told = ", ".join(lines)
            response[RAISED] = told if len(told) <= LONGEST_RAISED else EVERYTHING
        return response


def resources() -> str:
    """Return where the edge may keep answers: the path of each list, whose answers they are, and what they depend on.

    A tag that is divided by rows comes first and ends in `:`. What shows one row depends on its part alone, named by
    the end of the row's key; whose answers they are is followed by how long that end is. Whatever has rules of its own
    about who may ask, or puts on record who did, is answered here alone.
    """
    return ";".join(f"{path} {_depends(view)}" for path, view in kept_lists())


def _depends(view: type[RememberedReadMixin]) -> str:
    whose, tags = "all" if view.is_everybodys else "own", view.tags_of_answers()
    if view.divided_tag():
        whose, tags = f"{whose}:{END_OF_KEY}", [f"{tags[0]}:", *tags[1:]]
    return " ".join([whose, *tags])


def kept_lists() -> Iterator[tuple[str, type[RememberedReadMixin]]]:
    """Yield the lists whose answers may be kept: the path of each, and its view."""
    for path, view in _lists_of(settings.ROOT_URLCONF):
        if view.made_of and is_plain(view) and networks_for(path, settings.IP_ALLOW_LIST) is None:
            yield path, view


@cache
def _lists_of(urls: str) -> tuple[tuple[str, type[RememberedReadMixin]], ...]:
    return tuple(_lists(get_resolver(urls).url_patterns))


def _lists(patterns: Sequence[Any], under: str = "/") -> Iterator[tuple[str, type[RememberedReadMixin]]]:
    for each in patterns:
        path = f"{under}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _lists(each.url_patterns, path)
        elif isinstance(each, URLPattern) and "<" not in path:
            callback: Any = each.callback
            view: Any = getattr(callback, "cls", object)
            if issubclass(view, RememberedReadMixin) and getattr(callback, "actions", {}).get("get") == "list":
                yield path, view
