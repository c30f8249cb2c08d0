"""Content-Security-Policy with the settings, names and meaning that Django 6 gives it.

`SECURE_CSP` is every answer's policy; a view names another with `csp_override`. `CSP.NONCE` stands
for the nonce of the request, which a template asks for as `{{ csp_nonce }}`; a policy whose page
never asked for one does not name it.
"""

import functools
import secrets
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"

Policy = Mapping[str, Collection[str]]
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class CSP(StrEnum):
    """The sources that are spelled in quotes."""

    NONE = "'none'"
    SELF = "'self'"
    NONCE = "<CSP_NONCE_SENTINEL>"


class LazyNonce:
    """A nonce that is made when somebody asks for it; false until then."""

    def __init__(self) -> None:
        self._value = ""

    def __str__(self) -> str:
        self._value = self._value or secrets.token_urlsafe(16)
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)


class ContentSecurityPolicyMiddleware:
    """Gives every answer that has no policy the one that its view, its application or `SECURE_CSP` names."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce = LazyNonce()
        setattr(request, "_csp_nonce", nonce)  # noqa: B010 - the request's class does not know the attribute
        response = self.get_response(request)
        if not response.has_header(HEADER):
            response[HEADER] = build_policy(_policy_for(request, response), nonce)
        return response


def csp(request: HttpRequest) -> dict[str, Any]:
    """Serve as the context processor that lets templates say `{{ csp_nonce }}`."""
    return {"csp_nonce": getattr(request, "_csp_nonce", "")}


def csp_override(policy: Policy) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Return a decorator that gives a view's answers a policy of their own."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            response = view(request, *args, **kwargs)
            setattr(response, "_csp_config", policy)  # noqa: B010 - the response's class does not know the attribute
            return response

        return answer

    return decorate


def build_policy(policy: Policy, nonce: LazyNonce) -> str:
    """Return the header's value."""
    directives = []
    for directive, sources in policy.items():
        said = [
            f"'nonce-{nonce}'" if source == CSP.NONCE else str(source)
            for source in sources
            if source != CSP.NONCE or nonce
        ]
        directives.append(" ".join([directive, *said]))
    return "; ".join(directives)


def _policy_for(request: HttpRequest, response: HttpResponseBase) -> Policy:
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    namespaces = getattr(request.resolver_match, "namespaces", ())
    is_known = is_page and not set(namespaces).isdisjoint(settings.SECURE_CSP_PAGES_OF)
    usual: Policy = settings.SECURE_CSP_PAGES if is_known else settings.SECURE_CSP
    return getattr(response, "_csp_config", usual)
