"""What is neither API nor administration: the probes."""

from django.urls import path

from core.api import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("health/", health.health, name="health"),
]
