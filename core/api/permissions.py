"""Which kinds of action a caller may perform. Which rows is the question of `core.visibility`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from rest_framework.permissions import AllowAny, BasePermission

from core.errors import ForbiddenError

if TYPE_CHECKING:  # REST framework imports this module while its own views are still importing
    from collections.abc import Mapping

    from django.db.models import Model
    from rest_framework.request import Request
    from rest_framework.views import APIView

# Declared for an action that every authenticated caller may perform.
AUTHENTICATED: Final = ""


class PublicByName(AllowAny):
    """Lets anonymous callers in; a view names it on purpose."""


class SessionRequiredError(ForbiddenError):
    """What this does is for somebody who has logged in."""

    code = "session_required"
    title = "API keys do not open this; log in."


class LoggedIn(BasePermission):
    """Keeps API keys from what is for people, which is everything below `SESSION_ROUTES` unless a view says otherwise.

    A view says `takes_keys`.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if getattr(request.auth, "api_key_id", None) is not None and not takes_keys(view, request.path_info):
            raise SessionRequiredError
        return True


def takes_keys(view: APIView, path: str) -> bool:
    """Say whether a view answers API keys at a path."""
    said: bool | None = getattr(view, "takes_keys", None)
    return said if said is not None else not path.startswith(tuple(settings.SESSION_ROUTES))


class ActionPermission(BasePermission):
    """Deny by default: an action that `required_permissions` does not name is refused.

    A plain view declares by lower-case method instead of by action.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        required: Mapping[str, str] = getattr(view, "required_permissions", {})
        method = str(request.method).lower()
        action = getattr(view, "action", method)
        if action is None or method not in view.http_method_names or not hasattr(view, method):
            return True  # No handler: the view answers 405.
        action = "get" if action == "head" else action
        if action not in required:
            return False
        permission = required[action]
        return permission == AUTHENTICATED or request.user.has_perm(permission)


def crud_permissions(model: type[Model]) -> dict[str, str]:
    """Return Django's four permissions of `model` by the actions of a resource."""

    def named(verb: str) -> str:
        return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"

    view, add, change, delete = map(named, ("view", "add", "change", "delete"))
    return {
        "list": view,
        "retrieve": view,
        "create": add,
        "bulk_create": add,
        "update": change,
        "partial_update": change,
        "bulk_update": change,
        "destroy": delete,
        "bulk_delete": delete,
    }
