"""Keeping whoever has to change their password, or to set up a second factor, from the rest of the administration."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts import means, services
from accounts.backends import MEANS

PAGES = "admin/"
CHANGE = "admin:password_change"
ENROL = "administration:second_factor"
# What answers all the same: the ways out, and what their pages are made of.
OPEN = {"login", "logout", "password_change", "password_change_done", "jsi18n", "second_factor"}


class AccountInOrderMiddleware:
    """Leads from every page of the administration to what has to happen first, until it has.

    What counts is how the log-in was opened, as at the API: a role that needs a second factor and was given later asks
    the log-ins of before for it, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        match = request.resolver_match
        if match is None or not match.route.startswith(PAGES) or match.url_name in OPEN:
            return None
        user: Any = request.user
        if getattr(user, "must_change_password", False):
            return redirect(CHANGE)
        if means.has_second(request.session.get(MEANS, ())) or not means.is_demanded_of(user):
            return None
        if services.kinds_of(user):
            logout(request)
            return redirect("admin:login")
        return redirect(ENROL)
