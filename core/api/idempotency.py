"""The `Idempotency-Key` header: a POST sent twice takes effect once and gets the same answer twice.

The handler runs in one transaction with the key and the rendered answer, after authentication,
permissions and throttling had their say. Final answers are kept: successes, and refusals by the
state of things (404, 409) whose effects are undone. Everything else may be asked again under the
same key and leaves nothing: unreadable or invalid input, a missing permission, a failure, or a
refusal that itself says when to come back.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from http import HTTPStatus
from typing import Any, ClassVar

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.renderers import dumps
from core.idempotency import Answer, KeyReusedError, Question, recall, remember

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT_HEADERS = ("Content-Type", "ETag", "Link", "Location")
FINAL_REFUSALS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})

Handler = Callable[..., HttpResponseBase]


class IdempotencyMismatch(APIException):
    """The key came with another request before."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "idempotency_mismatch"
    default_detail = "This idempotency key was used for another request."


class IdempotentPostMixin(APIView):
    """Makes every POST of a view repeatable under a key.

    A view whose answers are secrets, or which commits in steps of its own, sets `idempotent_posts`
    to False; the header then means nothing to it.
    """

    idempotent_posts: ClassVar[bool] = True
    # What of an answer's data is told once: a repetition has null in its place, and so has what is kept.
    shown_once: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        handler = getattr(self, "post", None)
        if request.method == "POST" and self.idempotent_posts and HEADER in request.headers and handler is not None:
            # The view lives for this request alone. What it does before the handler, it does as ever.
            setattr(self, "post", functools.partial(self._post_once, handler))  # noqa: B010 - not every view has it
        return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(response, "is_rendered", False):  # it was completed inside the transaction that keeps it
            return response
        return super().finalize_response(request, response, *args, **kwargs)

    def _post_once(self, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return handler(request, *args, **kwargs)
        question = question_of(request)
        try:
            with transaction.atomic():
                kept = recall(question)
                if kept is not None:
                    return _replayed(kept)
                response = self._completed(request, self._attempt(handler, request, *args, **kwargs))
                if _is_final(response):
                    remember(question, _answer(response, without=self.shown_once))
                return response
        except KeyReusedError as error:
            raise IdempotencyMismatch from error

    def _attempt(self, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run the handler; whatever it refuses has no effect."""
        try:
            with transaction.atomic():
                response = handler(request, *args, **kwargs)
                if response.status_code >= HTTPStatus.BAD_REQUEST:
                    transaction.set_rollback(True)
                else:
                    # A broken foreign key would show at the commit, after the answer is written.
                    connection.check_constraints()
                return response
        except Exception as error:  # noqa: BLE001 - the view's handler re-raises what nobody anticipated
            return self.handle_exception(error)

    def _completed(self, request: Request, response: HttpResponseBase) -> HttpResponseBase:
        completed: HttpResponseBase = self.finalize_response(request, response, *self.args, **self.kwargs)
        if isinstance(completed, SimpleTemplateResponse):
            completed.render()
        return completed


def question_of(request: Request) -> Question:
    """Return what a request asks, and who asks it under which key."""
    return Question(
        principal=_principal(request),
        key=request.headers[HEADER],
        method=str(request.method),
        path=request.path,
        sha256=_digest(request),
    )


def _principal(request: Request) -> str:
    """Return who asks: an account, or one of its keys, which may be told less than another."""
    key = getattr(request.auth, "api_key_id", None)
    return f"user:{request.user.pk}" if key is None else f"key:{key}"


def _digest(request: Request) -> str:
    """Digest the query string and the body; of a form its contents, for each sending has another boundary."""
    digest = hashlib.sha256()
    for part in _parts(request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _parts(request: Request) -> Iterator[bytes]:
    yield request.META.get("QUERY_STRING", "").encode()
    media_type = str(request.content_type).partition(";")[0].strip().lower()
    yield media_type.encode()
    if media_type != "multipart/form-data":
        yield request._request.body
        return
    for name, values in sorted(request.POST.lists()):
        yield from (part.encode("utf-8", "surrogatepass") for part in (name, *values))
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            yield f"{name}\0{file.name}\0{file.size}".encode("utf-8", "surrogatepass")
            yield from file.chunks()
            file.seek(0)


def _is_final(response: HttpResponseBase) -> bool:
    if response.streaming or response.has_header("Retry-After"):
        return False
    return response.status_code < HTTPStatus.MULTIPLE_CHOICES or response.status_code in FINAL_REFUSALS


def _answer(response: Any, *, without: Collection[str]) -> Answer:
    headers = {name: response[name] for name in KEPT_HEADERS if response.has_header(name)}
    body = response.content
    if without and response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        told = json.loads(body)
        told["data"] |= dict.fromkeys(without)
        body = dumps(told)
    return Answer(status_code=response.status_code, headers=headers, body=body)


def _replayed(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status_code, headers=dict(answer.headers))
    response[REPLAYED] = "true"
    if "Content-Type" not in answer.headers:
        del response["Content-Type"]
    return response
