"""Views whose answers come from the replica for analytics, and say so: `meta.as_of`."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.db.analytics import AnalyticsReads, reading_for_analytics
from core.db.positions import current_reads

READING = frozenset({"GET", "HEAD"})


class AnalyticsReadMixin(APIView):
    """Answers what is only read from that replica; everything in the answer was so at `meta.as_of`, or later.

    It stands before the view's other bases: the tag of the answer is made of the data alone, and whoever has it need
    not be told again how old it is. Such an answer is never remembered as the present.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if getattr(cls, "made_of", ()):
            raise TypeError(f"{cls.__name__} is remembered while nothing changes, and read where changes come late")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method not in READING:
            return super().dispatch(request, *args, **kwargs)
        with reading_for_analytics():
            return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        reads = current_reads()
        as_of = reads.as_of if isinstance(reads, AnalyticsReads) else None
        response = super().finalize_response(request, response, *args, **kwargs)
        if as_of is not None and isinstance(response, Response) and not response.exception:
            meta = {**(getattr(response, "meta", None) or {}), "as_of": as_of}
            setattr(response, "meta", meta)  # noqa: B010 - the response's class does not know the attribute
        return response
