"""Django with one view and no middleware, which answers with the bytes it was given."""

import os
from pathlib import Path

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = Path(os.environ["BASELINE_PAGE"]).read_bytes()


def students(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE, content_type="application/json")


urlpatterns = [path("students/", students)]

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, MIDDLEWARE=[])
django.setup(set_prefix=False)
application = WSGIHandler()
