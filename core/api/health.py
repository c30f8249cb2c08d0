"""What probes and operators ask: does the process live, may it get requests, and how is everything.

The probes are anonymous and say no more than names and whether each is well. They stand outside
the API: no envelope, no version, no authentication that would need the database they ask about.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from core.errors import DomainError
from core.health import Check, health_checker, is_draining

RETRY_AFTER_SECONDS = 2
REPORTED_BY_READYZ = ("database", "migrations", "cache")
# A cache that is down makes answers slower, not wrong; taking every process out of service for it would
# turn that into an outage. READINESS_REQUIRES may say otherwise.
READINESS_REQUIRES = ("database", "migrations")


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """Say that the process runs. It asks nobody, so that a sick database restarts nothing."""
    return _answer({"status": "alive"}, HTTPStatus.OK)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether to send requests here: 200 or 503, at the latest after the bound of the checks."""
    if is_draining():
        return _answer({"status": "draining", "checks": {}}, HTTPStatus.SERVICE_UNAVAILABLE)
    checks = health_checker().report(REPORTED_BY_READYZ)
    required = getattr(settings, "READINESS_REQUIRES", READINESS_REQUIRES)
    is_ready = all(checks[name] for name in required)
    return _answer(
        {"status": "ready" if is_ready else "unready", "checks": _verdicts(checks)},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Say how everything is: 503 if anything is ill; figures and reasons for staff alone."""
    checks = health_checker().report()
    is_healthy = all(checks.values())
    # Whoever asks is looked up in the database, so only a well one is asked.
    told = _details(checks) if checks["database"] and _is_operator(request) else _verdicts(checks)
    return _answer(
        {
            "status": "healthy" if is_healthy else "unhealthy",
            "checks": told,
            "timestamp": timezone.now().isoformat().replace("+00:00", "Z"),
        },
        HTTPStatus.OK if is_healthy else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _verdicts(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: "ok" if check else "fail" for name, check in checks.items()}


def _details(checks: Mapping[str, Check]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "status": "ok" if check else "fail",
            "reason": check.reason,
            "duration_ms": check.milliseconds,
            **check.facts,
        }
        for name, check in checks.items()
    }


def _is_operator(request: HttpRequest) -> bool:
    """Say whether a member of staff asks whom the API would answer: whose password and second factor are in order."""
    kinds = settings.OPERATOR_AUTHENTICATION_CLASSES
    asked = Request(request, authenticators=[import_string(kind)() for kind in kinds])
    try:
        # A view without actions, so that nothing is asked but what the API asks of every caller.
        APIView().check_permissions(asked)
    except (APIException, DomainError, DatabaseError):
        return False
    return bool(getattr(asked.user, "is_staff", False))


def _answer(document: Mapping[str, Any], status: HTTPStatus) -> JsonResponse:
    response = JsonResponse(dict(document), status=status)
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
