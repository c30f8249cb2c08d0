"""Asking the application as gunicorn does."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.utils.datastructures import CaseInsensitiveMapping
from rest_framework.views import APIView

from core.api import precedents, remembered
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from tests.local.conftest import eventually

# What differs between any two answers.
EACH_ITS_OWN = {"X-Request-ID", "RateLimit"}


@pytest.fixture(autouse=True)
def lease(monkeypatch):
    """Let readers trust the generations for longer than the test, whatever the time of day."""
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    # A server that a busy machine has kept from answering is asked again, after a pause.
    assert eventually(GenerationKeeper(generations(), lease_seconds=600).tick)
    precedents._precedents.clear()


@pytest.fixture
def viewed(monkeypatch):
    """Return the paths that a view was asked for."""
    paths, dispatch = [], APIView.dispatch

    def noted(self, request, *args, **kwargs):
        paths.append(request.path)
        return dispatch(self, request, *args, **kwargs)

    monkeypatch.setattr(APIView, "dispatch", noted)
    return paths


@dataclass
class Answer:
    status_code: int
    headers: CaseInsensitiveMapping
    content: bytes

    def __getitem__(self, header):
        return self.headers[header]

    def json(self):
        return json.loads(self.content)


class Wire:
    """Asks as gunicorn does, with somebody's token."""

    def __init__(self, client):
        self.credentials = client._credentials
        self._application = precedents.PrecedentApplication(WSGIHandler())

    def ask(self, path, method="GET", **headers):
        began = []
        environ = RequestFactory().generic(method, path, headers=headers, **self.credentials).environ
        answer = self._application(environ, lambda status, headers: began.extend([status, headers]))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        status, named = began
        assert len(dict(named)) == len(named)
        return Answer(int(status.partition(" ")[0]), CaseInsensitiveMapping(named), content)

    def get(self, path, headers=None):
        return self.ask(path, **(headers or {}))
