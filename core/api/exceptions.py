"""Every refusal leaves as a problem document; every bug stays a bug.

`exception_handler` serves REST framework's views, the four functions at the end serve as Django's
error views for what happens outside of them. What neither anticipates propagates, is logged with
its trace by Django, and reaches the client as a bare 500 with the request's id. No document ever
carries SQL, a trace or the text of a driver's error.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from django.core import exceptions as django_errors
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.views import defaults
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotAuthenticated,
    ParseError,
    Throttled,
    ValidationError,
)
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from core.api.parsers import (
    IncompleteBodyError,
    NulCharacterError,
    NumberOutOfRangeError,
    PayloadTooLarge,
    UnreadableUnicodeError,
)
from core.api.renderers import PROBLEM_TYPE, completed, dumps
from core.api.responses import REASONS, problem
from core.db.availability import DATABASE_ERRORS, forget_lost_connections, is_passing
from core.db.constraints import error_for
from core.errors import ConflictError, DomainError, ForbiddenError, InvalidError, MissingError
from core.recording import recorder

logger = logging.getLogger(__name__)

Refusal: TypeAlias = DomainError | APIException

STATUS_OF: Mapping[type[DomainError], HTTPStatus] = {
    InvalidError: HTTPStatus.BAD_REQUEST,
    ConflictError: HTTPStatus.CONFLICT,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    MissingError: HTTPStatus.NOT_FOUND,
}
RETRY_AFTER_SECONDS = 2


class InvalidFieldError(InvalidError):
    """A field of the input has the wrong shape; the code says in which way."""


class UnstorableValueError(InvalidError):
    """A value that passed validation but that no column of its kind can hold."""

    code = "invalid_value"
    title = "A value is outside the range that can be stored."


class TooManyParametersError(InvalidError):
    """A form or query string with more parameters than the service reads."""

    code = "too_many_parameters"
    title = "The request carries too many parameters."


class ServiceUnavailable(APIException):
    """The database cannot answer now; the same request may succeed in a moment."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "The service cannot answer now; try again in a moment."
    wait = RETRY_AFTER_SECONDS


class AddressTooLong(APIException):
    """The first line of the request is longer than the server reads."""

    status_code = HTTPStatus.REQUEST_URI_TOO_LONG
    default_code = "payload_too_large"
    default_detail = "The address is longer than this service accepts."


class HeadersTooLarge(APIException):
    """The headers of the request are longer, or more, than the server reads."""

    status_code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = "The headers are longer, or more, than this service accepts."


class InternalError(APIException):
    """A bug, reported by the request's id and nothing else."""

    status_code = HTTPStatus.INTERNAL_SERVER_ERROR
    default_code = "internal_error"
    default_detail = "Something went wrong on our side; it has been recorded under this request id."


# What REST framework and Django call the errors that concern an object as a whole.
_WHOLE = frozenset({api_settings.NON_FIELD_ERRORS_KEY, django_errors.NON_FIELD_ERRORS})
# What is said in their stead where they repeat what was sent: a secret may have got into the wrong field.
_UNREPEATED: Mapping[str, str] = {"invalid_choice": "This is not one of the choices."}
_BY_SQLSTATE: Mapping[str, type[InvalidError]] = {
    "22003": NumberOutOfRangeError,  # numeric_value_out_of_range
    "22021": UnreadableUnicodeError,  # character_not_in_repertoire
    "22P05": UnreadableUnicodeError,  # untranslatable_character
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an anticipated failure with a problem document; return None for a bug."""
    refusal = translated(exc)
    if refusal is None:
        return None
    set_rollback()
    document = document_of(refusal)
    _log(document, context.get("view"), exc)
    if document["status"] == HTTPStatus.FORBIDDEN:
        recorder().denied(code=document["code"], route=_route(context.get("view")))
    return Response(document, status=document["status"], headers=_headers(refusal), content_type=PROBLEM_TYPE)


def translated(exc: BaseException | None) -> Refusal | None:
    """Return the refusal that an exception stands for, or None when nobody anticipated it."""
    for kinds, translate in _TRANSLATIONS:
        if isinstance(exc, kinds):
            return translate(exc)
    return None


def _unless_bug(exc: APIException) -> APIException | None:
    return exc if exc.status_code != HTTPStatus.INTERNAL_SERVER_ERROR else None


def _unavailable(exc: Exception) -> APIException | None:
    if not is_passing(exc):
        return None
    forget_lost_connections(exc)
    return ServiceUnavailable()


def _unstorable(exc: DataError) -> InvalidError:
    cause = exc.__cause__
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is None and "NUL" in str(cause):  # refused by the driver before the server saw it
        return NulCharacterError()
    return _BY_SQLSTATE.get(sqlstate or "", UnstorableValueError)()


# The first kind that fits decides, so a kind stands before those it descends from.
_TRANSLATIONS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Refusal | None]]] = (
    (DomainError, lambda error: error),
    (APIException, _unless_bug),
    (Http404, lambda _: MissingError()),
    (django_errors.PermissionDenied, lambda _: ForbiddenError()),
    (django_errors.ValidationError, lambda error: ValidationError(get_error_detail(error))),
    (IntegrityError, error_for),
    (DataError, _unstorable),
    (DATABASE_ERRORS, _unavailable),
    (RequestDataTooBig, lambda _: PayloadTooLarge()),
    ((TooManyFieldsSent, TooManyFilesSent), lambda _: TooManyParametersError()),
    (UnreadablePostError, lambda _: IncompleteBodyError()),
    ((MultiPartParserError, SuspiciousOperation, django_errors.BadRequest), lambda _: ParseError()),
)


def violations_of(error: Refusal) -> list[DomainError]:
    """Return the single refusals of an error, each with its code and the dotted path of its field."""
    if isinstance(error, DomainError):
        return list(error.violations)
    if isinstance(error, ValidationError):
        return list(_flattened(error.detail, ()))
    kind = next((kind for kind, status in STATUS_OF.items() if status == error.status_code), InvalidError)
    detail, code = _single(error)
    return [kind(detail, code=code)]


def _single(error: APIException) -> tuple[str, str]:
    detail: Any = error.detail
    if isinstance(detail, Mapping):  # token libraries put the code beside the detail
        return str(detail.get("detail", error.default_detail)), str(detail.get("code", error.default_code))
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        detail = detail[0] if detail else error.default_detail
    return str(detail), str(getattr(detail, "code", None) or error.default_code)


def _flattened(detail: Any, path: tuple[str, ...]) -> Iterator[DomainError]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flattened(inner, path if name in _WHOLE else (*path, str(name)))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from _flattened(inner, path if isinstance(inner, str) else (*path, str(index)))
    else:
        code = getattr(detail, "code", None) or "invalid"
        yield InvalidFieldError(_UNREPEATED.get(code) or str(detail), field=".".join(path), code=code)


def document_of(refusal: Refusal) -> dict[str, Any]:
    """Return the problem document for a refusal; its code is the violations' if they share one."""
    violations = violations_of(refusal)
    codes = {violation.error_code for violation in violations}
    code = codes.pop() if len(codes) == 1 else InvalidError.code
    return problem(
        status=_status(refusal, violations),
        code=code,
        title=_title(refusal, violations, code),
        detail=violations[0].detail if len(violations) == 1 else "",
        errors=[violation.as_dict() for violation in violations],
    )


def _status(refusal: Refusal, violations: Sequence[DomainError]) -> int:
    if isinstance(refusal, AuthenticationFailed | NotAuthenticated):
        # REST framework turns these into 403 on views without an authenticator, such as the log-in itself.
        return HTTPStatus.UNAUTHORIZED
    if isinstance(refusal, APIException):
        return int(refusal.status_code)
    return next(
        (status for kind, status in STATUS_OF.items() if isinstance(violations[0], kind)), HTTPStatus.BAD_REQUEST
    )


def _title(refusal: Refusal, violations: Sequence[DomainError], code: str) -> str:
    if isinstance(refusal, APIException) and not isinstance(refusal, ValidationError):
        title = str(refusal.default_detail)
        return f"{REASONS[refusal.status_code]}." if "{" in title else title
    first = violations[0]
    if code != first.error_code:
        return refusal.title if isinstance(refusal, DomainError) else InvalidError.title
    # A code given when the error was raised comes with the sentence that a constraint declares for it.
    declared = first.error_code == first.code or isinstance(first, InvalidFieldError)
    return first.title if declared else first.detail


def _headers(refusal: Refusal) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(refusal, AuthenticationFailed | NotAuthenticated):
        headers["WWW-Authenticate"] = getattr(refusal, "auth_header", None) or "Bearer"
    if isinstance(refusal, Throttled | ServiceUnavailable) or getattr(refusal, "wait", None):
        headers["Retry-After"] = str(int(getattr(refusal, "wait", None) or RETRY_AFTER_SECONDS))
    return headers


def _route(view: object) -> str:
    return f"{type(view).__name__}.{getattr(view, 'action', None) or ''}".removesuffix(".")


def _log(document: Mapping[str, Any], view: object, exc: BaseException | None) -> None:
    """Record which rule refused; what the client sent is none of the log's business."""
    facts = {
        "code": document["code"],
        "status": document["status"],
        "view": type(view).__name__ if view is not None else "",
        "action": getattr(view, "action", None) or "",
    }
    if document["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("api.unavailable", extra=facts, exc_info=exc)
    else:
        logger.info("api.refused", extra=facts)


def answer_to(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer what is refused before it reaches a view."""
    return _answer(request, refusal, None)


def _answer(request: HttpRequest, refusal: Refusal, exc: BaseException | None) -> HttpResponse:
    document = document_of(refusal)
    if not isinstance(refusal, InternalError):  # Django has logged those with their trace
        _log(document, None, exc)
    return HttpResponse(
        dumps(completed(document, request)),
        status=document["status"],
        content_type=PROBLEM_TYPE,
        headers=_headers(refusal),
    )


def _in_admin(request: HttpRequest) -> bool:
    try:
        return request.path.startswith(reverse("admin:index"))
    except NoReverseMatch:
        return False


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Serve as `handler400`."""
    if _in_admin(request):
        return defaults.bad_request(request, exception)
    return _answer(request, translated(exception) or ParseError(), exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Serve as `handler403`."""
    recorder().denied(code=ForbiddenError.code, route=str(getattr(request.resolver_match, "view_name", "")))
    if _in_admin(request):
        return defaults.permission_denied(request, exception)
    return _answer(request, ForbiddenError(), exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Serve as `handler404`."""
    if _in_admin(request):
        return defaults.page_not_found(request, exception)
    return _answer(request, MissingError(), exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Serve as `handler500`: a database that cannot answer is no bug and says when to come back."""
    exc = sys.exc_info()[1]
    refusal = translated(exc)
    if not isinstance(refusal, ServiceUnavailable):
        return defaults.server_error(request) if _in_admin(request) else _answer(request, InternalError(), exc)
    if not _in_admin(request):
        return _answer(request, refusal, exc)
    return HttpResponse(render_to_string("503.html"), status=refusal.status_code, headers=_headers(refusal))
