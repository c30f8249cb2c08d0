"""What is neither API nor administration: the probes, and what is counted."""

from django.urls import path

from core.api import health
from core.api.metrics import metrics

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("health/", health.health, name="health"),
    path("metrics", metrics, name="metrics"),
]
