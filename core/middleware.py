"""What surrounds every request: an id, a line in the access log, and answers that nobody keeps.

It stands outside of whatever may fail, so a request that ends in an error view has its id and its
line too. The line names the route and the query parameters, never the path's ids or any value.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPMethod, HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation, ValidationError
from django.core.handlers.exception import response_for_exception
from django.db import DataError, connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from core.cache.generations import asking_once
from core.db.positions import reading_from_replicas
from core.logging import ACCESS, request_id
from core.metrics import observe
from core.provenance import answering, user_of

logger = logging.getLogger(ACCESS)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
PROBES = frozenset({"/livez", "/readyz"})
READS = frozenset({HTTPMethod.GET, HTTPMethod.HEAD})
MOST_NAMES = 20
LONGEST_NAME = 64

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestMiddleware:
    """Gives each request an id, says how it went, and keeps its answer private."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        current = name_request(request)
        token = request_id.set(current)
        try:
            with answering(request), asking_once():
                response = self._answer(request)
            response["X-Request-ID"] = current
            if request.path.startswith("/api/"):
                response.headers.setdefault("Cache-Control", "private, no-store")
                patch_vary_headers(response, ["Authorization"])
            if request.method == HTTPMethod.HEAD:
                _leave_body_out(response)
            record(request, response.status_code, time.perf_counter() - started)
        finally:
            request_id.reset(token)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Refuse a value that no column of its kind can hold, where no view does: Django's own pages ask unchecked."""
        if isinstance(exception, DataError | ValidationError):
            return response_for_exception(request, BadRequest("A value cannot be what it is given for."))
        return None

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.DEBUG:
            return self.get_response(request)
        statements = Statements()
        with statements.counted():
            response = self.get_response(request)
        response["Server-Timing"] = statements.as_server_timing()
        return response


class ReplicaReadsMiddleware:
    """Lets what the API only reads come from a replica that has all its caller may expect to see."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in READS or not request.path_info.startswith("/api/"):
            return self.get_response(request)
        with reading_from_replicas():
            return self.get_response(request)


class Statements:
    """How many statements a request sent to the databases, and how long it waited for them."""

    def __init__(self) -> None:
        self.number = 0
        self.seconds = 0.0

    def counted(self) -> ExitStack:
        """Return a context in which this thread's statements are counted."""
        stack = ExitStack()
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(self._execute))
        return stack

    def as_server_timing(self) -> str:
        return f'db;dur={self.seconds * 1000:.1f};desc="{self.number} statements"'

    def _execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.number += 1
            self.seconds += time.perf_counter() - started


def _leave_body_out(response: HttpResponseBase) -> None:
    """Say how long the body would be, and send none: the server warns of one that it has to drop (RFC 9110, 9.3.2)."""
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""


def name_request(request: HttpRequest) -> str:
    """Return the id that a request goes by: the client's, if it is one."""
    offered = request.META.get("HTTP_X_REQUEST_ID", "")
    name = offered if REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
    setattr(request, "request_id", name)  # noqa: B010 - the request's class does not know the attribute
    return name


def record(request: HttpRequest, status: int, seconds: float) -> None:
    """Count a request that was answered, and log it."""
    observe(request, status, seconds)
    level = logging.DEBUG if request.path in PROBES else logging.INFO
    if not logger.isEnabledFor(level):
        return
    failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    logger.log(
        logging.WARNING if failed and level > logging.DEBUG else level,
        "request",
        extra={
            "method": request.method,
            "route": getattr(request.resolver_match, "route", None),
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
            "user_id": getattr(user_of(request), "pk", None),
            "key_id": getattr(getattr(request, "auth", None), "api_key_id", None),
            "query": _query_names(request),
        },
    )


def _query_names(request: HttpRequest) -> list[str]:
    try:
        return sorted(name[:LONGEST_NAME] for name in list(request.GET)[:MOST_NAMES])
    except SuspiciousOperation:  # more parameters than are ever read
        return []
