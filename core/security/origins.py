"""Which pages may have a browser listen here: those of this site, and those that `CORS_ALLOWED_ORIGINS` names."""

from django.conf import settings
from django.http import HttpRequest


def is_welcome(request: HttpRequest) -> bool:
    """Say whether the page that a request comes from may ask; what is no browser names no page."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    return origin == f"{request.scheme}://{request.get_host()}" or origin in settings.CORS_ALLOWED_ORIGINS
