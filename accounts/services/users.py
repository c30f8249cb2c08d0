"""What changes an account."""

from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from accounts import hashing
from accounts.models import MailKind, Person, Session, User
from accounts.roles import Role
from accounts.services.mails import request_mail
from accounts.services.password_rules import require_acceptable, words_about
from accounts.services.roles import SelfGrantError, assign_role
from accounts.services.sessions import end_access
from audit.services import record
from core import crud
from core.duties import is_same
from core.errors import ConflictError, ForbiddenError
from core.visibility import Actor


class UserValues(TypedDict, total=False):
    email: str
    person: Person | None
    is_active: bool
    is_staff: bool
    is_service: bool
    must_change_password: bool
    password: str


class ReauthenticationRequiredError(ForbiddenError):
    """What opens one's own account is changed by saying its password, not by administering it."""

    code = "reauthentication_required"
    title = "Change your own password and address where the present password is asked for, under /auth/."


class KindIsFinalError(ConflictError):
    """What somebody could log in to, or a key opens, does not turn into the other."""

    code = "account_kind_final"
    title = "The account of a person or of a program stays what it is; open another one."
    field = "is_service"


class DemoAccountsForbiddenError(ForbiddenError):
    """The installation is one for real people."""

    code = "demo_accounts_forbidden"
    title = "Demo accounts have no place in this installation."


# Which changes of an account are acts to be put on record, beside the history of the row.
RECORDED = {
    "password": "password.changed",  # pragma: allowlist secret
    "is_active": "account.activity_changed",
    "is_staff": "account.staff_changed",
    "email": "account.address_changed",
}
# And of which it is said to what.
SAID = frozenset({"is_active", "is_staff"})


def create_user(*, by: Actor | None, **values: Unpack[UserValues]) -> User:
    """Open an account; without a password nobody can log in to it yet."""
    fields = _with_hash({"password": "", **values}, about=words_about(values.get("email", ""), values.get("person")))
    return crud.create(User, fields)


@transaction.atomic
def update_user(user: User, *, by: Actor | None, **changes: Unpack[UserValues]) -> User:
    """Change an account; a new password or a deactivation ends its sessions at once.

    Raises `ReauthenticationRequiredError` for one's own password and address, `SelfGrantError` for what says that one
    is staff, active or who one is, `KindIsFinalError`, and what the rules for passwords refuse.
    """
    _require_changeable(user, by, changes)
    about = words_about(changes.get("email", user.email), changes.get("person", user.person))
    former = user.email
    fields = _with_hash(changes, about=about) if "password" in changes else dict(changes)
    ends_sessions = "password" in fields or fields.get("is_active", user.is_active) != user.is_active
    if ends_sessions:
        fields["token_version"] = user.token_version + 1
    crud.update(user, fields)
    if ends_sessions:
        _end_sessions(user)
    if ends_sessions or user.email != former:
        end_access(user.pk, at=timezone.now())
    for name, action in RECORDED.items():
        if name in fields:
            record(action=action, actor=by, subject=user, detail={"to": fields[name]} if name in SAID else {})
    if "password" in fields:
        request_mail(MailKind.PASSWORD_CHANGED, user, at=timezone.now())
    if user.email != former:
        request_mail(MailKind.ADDRESS_CHANGED, user, address=former, at=timezone.now())
    return user


def _require_changeable(user: User, by: Actor | None, changes: UserValues) -> None:
    if changes.get("is_service", user.is_service) != user.is_service:
        raise KindIsFinalError
    if not is_same(by, accounts=[user.pk]):
        return
    if "password" in changes or changes.get("email", user.email) != user.email:
        raise ReauthenticationRequiredError
    if changes.get("is_staff", user.is_staff) != user.is_staff or changes.get("person", user.person) != user.person:
        raise SelfGrantError("Nobody makes themselves a member of staff, or somebody else.")
    if changes.get("is_active", user.is_active) != user.is_active:
        # Somebody who may is left, then, and no stolen token closes its account.
        raise SelfGrantError("Nobody closes their own account; somebody else who administers accounts does.")


def deactivate_user(user: User, *, by: Actor | None) -> None:
    """Close an account for good. Its row stays: what it did remains attributed to it."""
    update_user(user, by=by, is_active=False)


@transaction.atomic
def create_administrator(*, email: str, password: str) -> User:
    """Open an account that may do everything, for the first person who sets up an installation."""
    user = create_user(by=None, email=email, password=password, is_staff=True)
    assign_role(user=user, role=Role.SYSTEM_ADMIN, by=None)
    return user


@transaction.atomic
def create_demo_user(*, email: str, password: str, person: Person, is_staff: bool) -> User:
    """Open an account for trying the product out, with any password; only where demo accounts are allowed."""
    if not settings.DEMO_ACCOUNTS_ALLOWED:
        raise DemoAccountsForbiddenError
    values = {"email": email, "person": person, "is_staff": is_staff, "password": make_password(password)}
    return crud.create(User, values)


@transaction.atomic
def set_demo_password(user: User, *, password: str) -> User:
    """Give a demo account another password, whatever it is, and end its sessions; only where they are allowed."""
    if not settings.DEMO_ACCOUNTS_ALLOWED:
        raise DemoAccountsForbiddenError
    crud.update(user, {"password": make_password(password), "token_version": user.token_version + 1})
    _end_sessions(user)
    record(action=RECORDED["password"], subject=user)
    return user


def _end_sessions(user: User) -> None:
    """End the sessions of an account that is locked, so that none begins beside it."""
    Session.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _with_hash(values: Any, *, about: list[str]) -> dict[str, Any]:
    """Replace a password by its hash, if the rules accept it; an empty one by an unusable hash."""
    password = values.get("password")
    if password:
        require_acceptable(password, about=about)
    return {**values, "password": hashing.hashed(password) if password else make_password(None)}
