"""The OpenAPI document and two pages that show it, from this server alone.

The pages bring their scripts from the sidecar package and from this app's static files; nothing is
inline and nothing comes from elsewhere, so each can say so in its Content-Security-Policy.
"""

import hashlib
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_urlconf, path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from drf_spectacular.generators import SchemaGenerator

from core.api.renderers import dumps
from core.security.csp import CSP, Policy, csp_override

DOCUMENT_TYPE = "application/vnd.oai.openapi+json"
# ReDoc writes styles at run time and marks them with the nonce. Nothing here is inline, and no form is sent.
POLICY: Policy = {**settings.SECURE_CSP_PAGES, "script-src": [CSP.SELF], "form-action": [CSP.NONE]}


@cache
def document(urlconf: str) -> bytes:
    """Return the OpenAPI document; it is the same for every caller, and made once by each process."""
    return dumps(SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True))


def _current_document() -> bytes:
    return document(get_urlconf() or settings.ROOT_URLCONF)


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.blake2b(_current_document(), digest_size=12).hexdigest()}"'


@require_safe
@cache_control(public=True, no_cache=True)
@condition(etag_func=_etag)
def schema(request: HttpRequest) -> HttpResponse:
    """Serve the OpenAPI document as JSON, which every reader of YAML reads too."""
    return HttpResponse(_current_document(), content_type=DOCUMENT_TYPE)


@require_safe
@csp_override(POLICY)
def swagger(request: HttpRequest) -> HttpResponse:
    """Serve Swagger UI."""
    return render(request, "core/docs/swagger.html", _context())


@require_safe
@csp_override(POLICY)
def redoc(request: HttpRequest) -> HttpResponse:
    """Serve ReDoc."""
    return render(request, "core/docs/redoc.html", _context())


def _context() -> dict[str, str]:
    return {"title": str(settings.SPECTACULAR_SETTINGS["TITLE"]), "schema_url": reverse("api-schema")}


urlpatterns = [
    path("schema/", schema, name="api-schema"),
    path("docs/", swagger, name="api-docs"),
    path("docs/redoc/", redoc, name="api-redoc"),
]
