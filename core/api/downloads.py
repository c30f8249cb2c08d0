"""Answers that are files: tables as CSV and as XLSX, written while they are read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from core import tables
from core.api import etag
from core.api.renderers import JSONRenderer, completed, dumps
from core.exports import XLSX
from core.workbooks import workbook


class CsvRenderer(JSONRenderer):
    """Stands for CSV, which the view writes itself; what is left to render are refusals."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return dumps(completed(data, (renderer_context or {}).get("request")))


class XlsxRenderer(CsvRenderer):
    """Stands for a workbook in the same way."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"


def table(rows: Iterable[Sequence[Any]], *, name: str, kind: str, facts: Any) -> HttpResponseBase:
    """Return the download of a table, its header first, with a tag for what it is made of."""
    if kind == XLSX:
        response = StreamingHttpResponse(workbook(rows), content_type=XlsxRenderer.media_type)
    else:
        response = StreamingHttpResponse(tables.document(rows), content_type="text/csv; charset=utf-8")
    return attached(response, f"{name}.{kind}", facts)


def attached(response: Any, file_name: str, facts: Any) -> HttpResponseBase:
    """Return a response as a download with a tag for what it is made of."""
    response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    response["ETag"] = etag.of(facts)
    found: HttpResponseBase = response
    return found


def takes_content(request: Request, tag: str) -> bool:
    """Say whether the answer has a content: it has none for HEAD, nor for whoever has what the tag names."""
    return request.method != "HEAD" and not etag.matches(request.headers.get("If-None-Match", ""), tag)


def stored(content: Iterable[bytes], *, name: str, kind: str, tag: str, size: int) -> HttpResponseBase:
    """Return the download of a file of so many bytes, by which a client knows when it breaks off."""
    response = StreamingHttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(size)
    response["ETag"] = tag
    return response
