"""How often a caller may ask: every request of the API is counted once, by one question to the limiter.

It is counted as soon as it is known who sends it, before permissions and before any row is read;
one whose token is refused is counted too, so that guessing has a bound. What a request counts
against: everybody together, its address, its account or API key, its route for that caller, and
a lower limit where machines would do harm: for its address where passwords and tokens are tried,
for its account where what is scarce is taken. What no view counts, the guard counts by its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.security.addresses import caller_of, client_address
from core.security.limiter import Demand, Limit, Verdict, limiter

if TYPE_CHECKING:  # REST framework imports this module while its own views are still importing
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.views import APIView

VERDICT = "rate_limit_verdict"
# Where a request's environment says that it has been counted already, and with what verdict.
COUNTED = "campushub360.counted"
# What everybody together may do is nobody's own affair.
UNTOLD = "global"
READING = frozenset({"GET", "HEAD"})


class RequestThrottle:
    """The throttle of every API view, as REST framework calls one."""

    verdict: Verdict

    def allow_request(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        account = str(user.pk) if user.is_authenticated else ""
        key = str(getattr(request.auth, "api_key_id", None) or "")
        self.verdict = judged(request._request, account=account, key=key)
        return self.verdict.is_admitted

    def wait(self) -> float:
        return self.verdict.wait


def judged(request: HttpRequest, *, account: str = "", key: str = "") -> Verdict:
    """Count a request, unless it has been, and return what the limits say; the answer's headers will say so, too."""
    verdict: Verdict | None = request.META.pop(COUNTED, None)
    if verdict is None:
        return spent(request, list(demands_of(request, account=account, key=key)))
    setattr(request, VERDICT, verdict)
    return verdict


def spent(request: HttpRequest, demands: Sequence[Demand]) -> Verdict:
    """Count a request against its limits, and return what they say."""
    verdict = limiter().spend(demands)
    setattr(request, VERDICT, verdict)
    return verdict


def is_counted(request: HttpRequest) -> bool:
    """Say whether a request has been counted."""
    return hasattr(request, VERDICT)


def demands_of(request: HttpRequest, *, account: str, key: str) -> Iterator[Demand]:
    """Yield what a request counts against."""
    address = caller_of(client_address(request))
    route = str(getattr(request.resolver_match, "route", None) or "")
    subjects = {
        "global": "all",
        "address": address,
        "account": account,
        "key": key,
        "route": f"{route}|{key or account or address}",
        **{name: address for name, starts in settings.RATE_LIMITED_ROUTES.items() if route.startswith(starts)},
    }
    if request.method not in READING:
        writes = settings.RATE_LIMITED_WRITES.items()
        subjects |= {name: account for name, starts in writes if route.startswith(starts)}
    for name, limit in settings.RATE_LIMITS.items():
        if subjects.get(name):
            yield Demand(limit, subjects[name])


def say_limits(request: HttpRequest, headers: HttpResponseBase | dict[str, str]) -> None:
    """Add where the caller stands: the header fields of draft-ietf-httpapi-ratelimit-headers-10."""
    verdict: Verdict | None = getattr(request, VERDICT, None)
    standings = [each for each in verdict.standings if each.limit.name != UNTOLD] if verdict is not None else []
    if standings:
        headers["RateLimit-Policy"] = _policy(tuple(each.limit for each in standings))
        headers["RateLimit"] = ", ".join(
            f'"{each.limit.name}";r={each.remaining};t={each.seconds}' for each in standings
        )


@lru_cache(maxsize=256)
def _policy(limits: tuple[Limit, ...]) -> str:
    return ", ".join(f'"{each.name}";q={each.quota};w={each.seconds}' for each in limits)
