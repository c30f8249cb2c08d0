"""gunicorn's worker, refusing what is no request in the words of the API.

What gunicorn cannot read as HTTP never reaches the application, and its own answer would be a page of HTML. nginx
answers like this where it stands in front.
"""

import uuid
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from gunicorn import util
from gunicorn.http import errors

from campushub360.leaving import LeavingWorker

# The application's own fault, although these look like a client's.
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)


class RefusingWorker(LeavingWorker):
    """A gevent worker whose refusals are problem documents, with an id under which the log has them."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be read, or an error that the application let through."""
        # Only a worker that runs has set Django up.
        from core.api.exceptions import document_of
        from core.api.renderers import PROBLEM_TYPE, completed, dumps

        name = uuid.uuid4().hex
        refusal = _refusal(exc)
        document = document_of(refusal)
        if document["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log.error("Error handling request %s", name, exc_info=exc)
        else:  # never what was sent: it may be a token
            self.log.warning("Refused what is no request (%s): %s", name, type(exc).__name__)
        body = dumps(completed(document, SimpleNamespace(request_id=name)))
        status = HTTPStatus(document["status"])
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "Connection: close",
            f"Content-Type: {PROBLEM_TYPE}",
            f"Content-Length: {len(body)}",
            f"X-Request-ID: {name}",
            "Cache-Control: private, no-store",
            "X-Content-Type-Options: nosniff",
        ]
        try:
            util.write_nonblock(client, "\r\n".join([*head, "", ""]).encode("latin-1") + body)
        except OSError:
            self.log.debug("The client is gone.")


def _refusal(exc: BaseException) -> Any:
    from rest_framework.exceptions import ParseError

    from core.api.exceptions import AddressTooLong, HeadersTooLarge, InternalError

    if isinstance(exc, OURS) or not isinstance(exc, errors.ParseException):
        return InternalError()
    if isinstance(exc, errors.LimitRequestLine):
        return AddressTooLong()
    return HeadersTooLarge() if isinstance(exc, errors.LimitRequestHeaders) else ParseError()
