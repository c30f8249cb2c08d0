"""Asking the application as gunicorn does."""

import json
from dataclasses import dataclass

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.utils.datastructures import CaseInsensitiveMapping

from core.api import precedents


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
