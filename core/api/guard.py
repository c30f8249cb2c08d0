"""What is refused before any view runs: by host, path, method, address, size, charset, and by how often.

The views of the API count their requests themselves, when they know the caller. Everything else is
counted here by its address: pages before they run, and afterwards what met no view or was refused
before one could count it. Probes and static files are not counted.
"""

from collections.abc import Callable
from http import HTTPMethod
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed, Throttled, UnsupportedMediaType

from core.api.exceptions import Refusal, answer_to
from core.api.parsers import LengthRequired, NulCharacterError, PayloadTooLarge
from core.api.throttling import is_counted, judged, say_limits
from core.errors import ForbiddenError, InvalidError
from core.middleware import PROBES
from core.security.addresses import client_address, is_within, networks_for

# TRACE would echo credentials; CONNECT is for proxies. Views say which of the others they serve.
METHODS = frozenset(HTTPMethod) - {HTTPMethod.TRACE, HTTPMethod.CONNECT}
# The views of the administration would take any other for GET.
METHODS_OF_ADMIN = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.POST})
ADMIN = "/admin/"
# What machines ask; nothing is sent there.
METHODS_OF_PROBES = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})
ASKED_BY_MACHINES = PROBES | {"/health/", "/metrics"}
UTF_8 = "utf-8"
NAMES_OF_UTF_8 = frozenset({UTF_8, "utf8"})
# No body is so long that its length has more.
MOST_DIGITS = 18

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class AddressNotAllowedError(ForbiddenError):
    """The path is answered to some networks only, and the request comes from none of them."""

    code = "address_not_allowed"
    title = "This is not answered to your address."


class HostNotAllowedError(InvalidError):
    """The request was meant for another host than those that are answered for (`ALLOWED_HOSTS`)."""

    code = "host_not_allowed"
    title = "This service does not answer for the host that the request names."


class GuardMiddleware:
    """Refuses what no view should see, and says in every answer where its caller stands with the limits."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = _unreadable(request) or _refusal(request)
        response = self.get_response(request) if refusal is None else answer_to(request, refusal)
        if isinstance(refusal, MethodNotAllowed):
            response["Allow"] = ", ".join(sorted(_methods(request)))
        if not is_counted(request) and request.path not in PROBES:
            response = _counted(request) or response
        say_limits(request, response)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if request.path in PROBES or hasattr(view, "cls"):  # the latter are the API's own
            return None
        return _counted(request)


def _counted(request: HttpRequest) -> HttpResponseBase | None:
    """Count a request; answer it when it is one too many."""
    verdict = judged(request)
    return None if verdict.is_admitted else answer_to(request, Throttled(wait=verdict.wait))


def _unreadable(request: HttpRequest) -> Refusal | None:
    """Refuse an address that is none of ours, or none."""
    try:
        request.get_host()
    except DisallowedHost:
        return HostNotAllowedError()
    return NulCharacterError("The path contains a NUL character.") if "\x00" in request.path else None


def _refusal(request: HttpRequest) -> Refusal | None:
    if request.method not in _methods(request):
        return MethodNotAllowed(str(request.method))
    networks = networks_for(request.path_info, settings.IP_ALLOW_LIST)
    if networks is not None and not is_within(client_address(request), networks):
        return AddressNotAllowedError()
    if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
        return LengthRequired()
    if _length(request) > _longest_body(request.path_info):
        return PayloadTooLarge()
    return _refuse_charset(request)


def _refuse_charset(request: HttpRequest) -> Refusal | None:
    """Refuse a body in any charset but UTF-8: Django would decode it, and the query, by whatever codec it names."""
    charset = request.content_params.get("charset", UTF_8) if request.content_params else UTF_8
    if charset.lower() in NAMES_OF_UTF_8:
        return None
    request.encoding = UTF_8
    return (
        UnsupportedMediaType(request.content_type or "", "Bodies are read as UTF-8 only.") if _length(request) else None
    )


def _methods(request: HttpRequest) -> frozenset[HTTPMethod]:
    if request.path in ASKED_BY_MACHINES:
        return METHODS_OF_PROBES
    return METHODS_OF_ADMIN if request.path.startswith(ADMIN) else METHODS


def _length(request: HttpRequest) -> float:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        return 0
    return int(length) if len(length) <= MOST_DIGITS else float("inf")


def _longest_body(path: str) -> int:
    fitting = [size for start, size in settings.BODY_MAX_SIZES.items() if path.startswith(start)]
    return max(fitting, default=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
