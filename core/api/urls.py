"""Where what every app shares answers: the definitions of custom fields, and the description of the API."""

from core.api.docs import urlpatterns as docs_urlpatterns
from core.customfields.api.urls import routes

__all__ = ["routes", "urlpatterns"]

urlpatterns = docs_urlpatterns
