"""Who is put under load: an address of a server, what is sent along, and what has to come back."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils import timezone
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts import services
from accounts.models import User
from accounts.roles import Role
from benchmarks.harness import Size, in_turn
from benchmarks.load import CONNECTIONS, put_load_on
from benchmarks.servers import Server

Headers = Callable[[], Mapping[str, str]]
# What the time of an answer stands under: all before it is the same for whoever is shown the same.
TIMESTAMP = b',"timestamp":'


class DifferentAnswersError(Exception):
    """Two contenders answer differently, so that nothing can be said by comparing them."""


@dataclass(frozen=True)
class Contender:
    """One address that is put under load; the headers are made anew for each run, since tokens expire."""

    server: Server
    path: str
    headers: Headers
    connections: int = CONNECTIONS

    def rate(self, seconds: int) -> float:
        """Return how many requests a second it answers."""
        url = f"{self.server.url}{self.path}"
        return put_load_on(url, self.headers(), seconds=seconds, connections=self.connections).rate

    def body(self) -> Any:
        """Return what it answers."""
        return json.loads(self.server.get(self.path, self.headers()))


def measure(contenders: Mapping[str, Contender], size: Size) -> list[dict[str, float]]:
    """Return for each round how many requests a second each contender answers."""
    return in_turn({name: partial(each.rate, size.seconds) for name, each in contenders.items()}, size.loads)


def registrar() -> User:
    """Return somebody who may see everybody."""
    found = User.objects.with_assignments().filter(is_active=True, role_assignments__role=Role.REGISTRAR)
    return found.order_by("pk")[0]


def bearer(user: User) -> dict[str, str]:
    """Return the headers of somebody who has just logged in."""
    return {"Authorization": f"Bearer {services.open_session(user, amr=['pwd'], at=timezone.now()).access}"}


def made_anew(viewset: Any, path: str, user: User) -> Any:
    """Return what a list shows a caller when nothing of it is remembered."""
    unlimited: Any = type("Forgetful", (viewset,), {"throttle_classes": [], "made_of": []})
    request = APIRequestFactory().get(path)
    force_authenticate(request, user)
    response = unlimited.as_view({"get": "list"})(request).render()
    return json.loads(response.content)["data"]


def require_same(answers: Mapping[str, Any]) -> None:
    """Raise `DifferentAnswersError` unless all of the answers are equal."""
    (first, expected), *others = answers.items()
    for name, answer in others:
        if answer != expected:
            raise DifferentAnswersError(f"{first} answers {_start_of(expected)}, {name} answers {_start_of(answer)}")


def essence(body: bytes) -> bytes:
    """Return what of an answer does not tell when it was made."""
    return body.partition(TIMESTAMP)[0]


def _start_of(answer: Any) -> str:
    start = answer[:1] if isinstance(answer, Sequence) and not isinstance(answer, bytes) else answer
    return repr(start)[:300]
