"""What the answers are that are no JSON."""

from collections.abc import Mapping
from typing import Any

from core.api.renderers import JSONRenderer, completed, dumps


class AnyRenderer(JSONRenderer):
    """Stands for the content of a file, which the view hands out itself; what is left to render are refusals."""

    media_type = "*/*"
    format = "file"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return dumps(completed(data, (renderer_context or {}).get("request")))
