"""Keeping whoever has to change their password from everything else on the administration pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

CHANGE = "admin:password_change"
# What answers all the same: the way out, and what the page of the change is made of.
OPEN = {"login", "logout", "password_change", "password_change_done", "jsi18n"}


class PasswordChangeMiddleware:
    """Leads from every page of the administration to the change of the password until it has happened."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or match.namespace != "admin" or match.url_name in OPEN:
            return None
        return redirect(CHANGE) if getattr(request.user, "must_change_password", False) else None
