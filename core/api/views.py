"""The base of what is no resource: a question or a deed with a URL of its own."""

from typing import Any

from rest_framework.request import Request

from core.api.etag import TaggedReadMixin
from core.api.limited import LimitedMixin
from core.api.parameters import UnknownParameterError
from core.api.parsers import refuse_unreadable_query
from core.errors import raise_all


class PlainView(LimitedMixin, TaggedReadMixin):
    """A view without rows: it takes no query parameters, and its answers to GET carry a tag."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unreadable_query(request)
        raise_all(
            [
                UnknownParameterError(f"There is no parameter {name!r} here.", field=name)
                for name in request.query_params
            ]
        )
