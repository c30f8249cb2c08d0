"""What it costs to know who asks and what they may: authentication, permission and sight of rows.

The same list of campuses is asked for twice, which costs so little itself that the difference is not lost in what
varies anyway. The product reads the token, asks Redis whether all that it remembers of session, account and roles still
holds, checks the permission and narrows the rows; the baseline is handed the account and asks nothing. The session is
in use: its token's signature was verified before, as for all requests of a session but the first of each ten minutes.
Neither contender is counted by the limiter or answers from memory, and middleware, which both would have, is left out.

The two are called by turns, and what is reported is the median of the differences between neighbouring calls: what one
request costs varies by more than what is asked about, and over seconds.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.status import HTTP_200_OK

from accounts import services
from accounts.models import User
from accounts.roles import Role
from benchmarks.data import kept
from benchmarks.harness import Size, Target, difference, in_turn, milliseconds
from departments.api.views import CampusViewSet

PATH = "/api/v1/campuses/"
# One who may see everything, and one whose sight is a matter of their own person.
ROLES = [Role.REGISTRAR, Role.STUDENT]
# What neither contender does.
ALIKE: dict[str, Any] = {"throttle_classes": [], "made_of": []}


def targets(size: Size) -> Iterator[Target]:
    """Measure, for each of the roles, what authorisation adds to a request."""
    with kept():
        yield from _added(size)


def _added(size: Size) -> Iterator[Target]:
    for role in ROLES:
        user = User.objects.with_assignments().filter(is_active=True, role_assignments__role=role).order_by("pk")[0]
        authorised, handed = _request(_guarded(), user), _request(_unguarded(user), user)
        added = queries_of(authorised) - queries_of(handed)
        contenders = {"authorised": authorised, "handed": handed}
        rounds = in_turn({name: milliseconds(contenders[name], 1) for name in contenders}, size.rounds * size.calls)
        yield Target(f"authorisation of a {role}: queries added", "at most", 1, added, "queries", is_correctness=True)
        yield Target(
            f"authorisation of a {role}: time added",
            "at most",
            0.3,
            difference(rounds, "authorised", "handed"),
            "ms",
        )


def _guarded() -> Any:
    return type("Guarded", (CampusViewSet,), ALIKE).as_view({"get": "list"})  # type: ignore[attr-defined]  # made on the spot


def _unguarded(user: User) -> Any:
    class Handed(BaseAuthentication):
        def authenticate(self, request: Any) -> tuple[User, None]:
            return user, None

    def everything(view: Any) -> Any:
        return view.loaded(view.queryset.all())

    members = {
        **ALIKE,
        "authentication_classes": [Handed],
        "permission_classes": [],
        "get_queryset": everything,
    }
    return type("Unguarded", (CampusViewSet,), members).as_view({"get": "list"})  # type: ignore[attr-defined]  # made on the spot


def _request(view: Any, user: User) -> Callable[[], object]:
    token = services.open_session(user, amr=["pwd"], at=timezone.now()).access
    factory = RequestFactory(headers={"Authorization": f"Bearer {token}"})

    def call() -> object:
        response = view(factory.get(PATH)).render()
        if response.status_code != HTTP_200_OK:
            raise RuntimeError(f"{PATH} answered {response.status_code}: {response.content[:200]!r}")
        return response

    return call


def queries_of(call: Callable[[], object]) -> int:
    """Return how often a call asks the database, when it is not the first of its kind."""
    call()
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)
