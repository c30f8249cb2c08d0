"""Answers made before anybody asks: lists that all who may ask are shown alike, asked for as the commonest roles do.

After a release, a new day or a lost Redis nothing is remembered, and everybody's first question is made anew. This asks
first: the list's own view, as somebody who holds the role, and so with their permissions and their sight. It is the
view that keeps the answer, under what it would keep it under for them. Nobody is logged in for it, and no limit counts
it.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db.models import Count
from tqdm import tqdm

from accounts.models import RoleAssignment, User
from core.api.edge import kept_lists
from core.api.remembered import RememberedReadMixin
from core.cache.generations import asking_once

# So many roles, with what they are held for, at most: a thousand reads or so.
MOST = 100


def warm_caches(*, most: int = MOST) -> int:
    """Ask for each list that is everybody's as one of those who hold each of the `most` commonest roles would.

    Return how many answers were made; none is made again that is remembered, and none while nothing can be.
    """
    lists = [(path, view) for path, view in kept_lists() if view.is_everybodys]
    callers = representatives(most)
    with tqdm(total=len(lists) * len(callers), desc="lists", unit=" reads", disable=None) as bar:
        return sum(_is_made(caller, path, view) for caller in callers for path, view in _counted(lists, bar))


def representatives(most: int) -> list[User]:
    """Return an account for each of the roles that are held most often, with what each is held for."""
    current = RoleAssignment.objects.current().filter(user__is_active=True, user__is_service=False)
    commonest = (
        current.values("role", "scope_kind", "scope_id").annotate(holders=Count("pk")).order_by("-holders", "role")
    )
    holders = [
        current.filter(role=each["role"], scope_kind=each["scope_kind"], scope_id=each["scope_id"])
        .order_by("pk")
        .values_list("user", flat=True)
        .first()
        for each in commonest[:most]
    ]
    found = User.objects.with_assignments().in_bulk([pk for pk in holders if pk is not None])
    return list(found.values())


def _counted(lists: Iterable[Any], bar: Any) -> Iterable[Any]:
    for each in lists:
        yield each
        bar.update()


def _is_made(caller: User, path: str, view: type[RememberedReadMixin]) -> bool:
    uncounted: Any = type(view.__name__, (view,), {"throttle_classes": []})
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "443"}
    request = WSGIRequest({**asked, "REMOTE_ADDR": "127.0.0.1", "wsgi.input": BytesIO(), "wsgi.url_scheme": "https"})
    setattr(request, "_force_auth_user", caller)  # noqa: B010 - how REST framework is told who asks
    with asking_once():
        answer = uncounted.as_view({"get": "list"})(request)
    return bool(answer.get("X-Cache") == "MISS")
