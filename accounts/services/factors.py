"""What an account has beside its password: adding it, taking it away, and beginning anew when it is lost.

Whoever does so shows once more to be the owner, whatever session they are in. What was changed ends every other
session, so that none goes on that was opened more easily than the account is now, and is mailed to the owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import means, totp
from accounts.models import FactorKind, MailKind, PendingLogIn, RecoveryCode, SecondFactor, Session, User
from accounts.services.codes import take_step, write_recovery_codes
from accounts.services.guesses import forget_guesses, reserve_guess, subject_of
from accounts.services.identifiers import ReasonMissingError
from accounts.services.mails import request_mail
from accounts.services.reauthentication import TooManyGuessesError, reauthenticate
from accounts.services.sessions import end_access, end_sessions, lock_users, outdate_tokens
from accounts.services.users import ReauthenticationRequiredError
from audit.services import record
from core import crud
from core.db.constraints import refusing
from core.duties import may_not_be_same
from core.errors import ConflictError, InvalidError, MissingError
from core.security.fields import normalised
from core.visibility import Actor

PRODUCT = "CampusHub360"
# What nobody has confirmed by then is begun anew.
BEGUN_FOR = timedelta(minutes=30)


class FactorExistsError(ConflictError):
    """An account has one authenticator app."""

    code = "factor_exists"
    title = "The account has an authenticator app; remove it first."


class NoEnrolmentError(ConflictError):
    """What is confirmed has been begun before."""

    code = "no_enrollment"
    title = "Nothing waits to be confirmed; begin anew."


class WrongFirstCodeError(InvalidError):
    """A factor counts once its owner has shown to have it."""

    code = "wrong_code"
    title = "This is not the code that the app shows now."
    field = "code"


class LastFactorError(ConflictError):
    """A role that the account holds is used with a second factor alone."""

    code = "last_factor"
    title = "Your role needs a second factor: add another before you remove this one."


class NoSecondFactorError(ConflictError):
    """Recovery codes stand in for a factor that there is."""

    code = "no_second_factor"
    title = "The account has no second factor that recovery codes could stand in for."


@dataclass(frozen=True)
class Enrolment:
    """A factor that was begun: what its owner tells the app."""

    secret: str
    uri: str


@dataclass(frozen=True)
class Enrolled:
    """A factor that counts from now on: how the present session has proved itself, and recovery codes to write down."""

    amr: tuple[str, ...]
    recovery_codes: Sequence[str]


def begin_app(user: User, *, password: str, session_id: UUID | None, at: datetime) -> Enrolment:
    """Draw the secret of an authenticator app; it counts for nothing until a code of it was shown.

    Raises what `reauthenticate` raises, and `FactorExistsError`.
    """
    reauthenticate(user, password, session_id=session_id, at=at, field="password")
    secret = totp.new_secret()
    with transaction.atomic():
        lock_users([user.pk])
        apps = SecondFactor.objects.filter(user=user, kind=FactorKind.APP)
        if apps.confirmed().exists():
            raise FactorExistsError
        apps.delete()
        crud.create(SecondFactor, {"user": user, "kind": FactorKind.APP, "secret": secret})
    issuer = settings.INSTITUTION_NAME or PRODUCT
    return Enrolment(secret, totp.provisioning_uri(secret, account=user.email, issuer=issuer))


def confirm_app(user: User, *, code: str, name: str = "", session_id: UUID | None, at: datetime) -> Enrolled:
    """Let an authenticator app count, whose owner shows its present code, at the administration in no session of ours.

    Raises `NoEnrolmentError`, `WrongFirstCodeError` and, after a few wrong codes, `TooManyGuessesError`.
    """
    app = SecondFactor.objects.begun(at - BEGUN_FOR).filter(user=user, kind=FactorKind.APP).first()
    if app is None:
        raise NoEnrolmentError
    subject = subject_of("enrolment", app.pk.bytes)
    if reserve_guess(subject, at=at) is None:
        raise TooManyGuessesError(field="code")
    if not take_step(app, code, at=at):
        raise WrongFirstCodeError
    forget_guesses(subject)
    return let_count(user, app, name=name, shown=means.APP, session_id=session_id, at=at)


@transaction.atomic
def let_count(
    user: User, factor: SecondFactor, *, name: str, shown: str, session_id: UUID | None, at: datetime
) -> Enrolled:
    """Make a factor one that counts, by which the present session, if there is one, has proved itself."""
    lock_users([user.pk])
    begun = SecondFactor.objects.filter(pk=factor.pk, confirmed_at__isnull=True)
    with refusing():
        if not begun.update(confirmed_at=at, name=name):
            raise NoEnrolmentError
    is_first = not RecoveryCode.objects.filter(user=user).exists()
    codes = write_recovery_codes(user) if is_first else []
    amr = _prove(session_id, shown) if session_id else (shown,)
    _begin_anew(user, keep=session_id, at=at)
    request_mail(MailKind.FACTOR_ADDED, user, at=at)
    record(action="second_factor.added", actor=user, subject=user, detail={"kind": factor.kind})
    return Enrolled(amr, codes)


def _prove(session_id: UUID, shown: str) -> tuple[str, ...]:
    """Add a means to those by which a session has proved itself, and return them all."""
    session = Session.objects.select_for_update().get(pk=session_id)
    session.amr = [*session.amr, *({shown} - set(session.amr))]
    session.save(update_fields=["amr", "updated_at"])
    return tuple(session.amr)


def remove_factor(user: User, *, factor: UUID, password: str, session_id: UUID, at: datetime) -> None:
    """Take a factor away, and the recovery codes with the last one.

    Raises what `reauthenticate` raises, `MissingError`, and `LastFactorError` while a role needs one.
    """
    reauthenticate(user, password, session_id=session_id, at=at, field="password")
    with transaction.atomic():
        lock_users([user.pk])
        factors = {each.pk: each for each in SecondFactor.objects.confirmed().filter(user=user)}
        removed = factors.pop(factor, None)
        if removed is None:
            raise MissingError(field="factor")
        if not factors and means.is_demanded_of(user):
            raise LastFactorError
        removed.delete()
        if not factors:
            RecoveryCode.objects.filter(user=user).delete()
        _begin_anew(user, keep=session_id, at=at)
        request_mail(MailKind.FACTOR_REMOVED, user, at=at)
        record(action="second_factor.removed", actor=user, subject=user, detail={"kind": removed.kind})


def renew_recovery_codes(user: User, *, password: str, session_id: UUID, at: datetime) -> list[str]:
    """Write recovery codes anew, which the former ones are no longer.

    Raises what `reauthenticate` raises, and `NoSecondFactorError`.
    """
    reauthenticate(user, password, session_id=session_id, at=at, field="password")
    with transaction.atomic():
        lock_users([user.pk])
        if not SecondFactor.objects.confirmed().filter(user=user).exists():
            raise NoSecondFactorError
        request_mail(MailKind.RECOVERY_CODES_RENEWED, user, at=at)
        record(action="recovery_codes.renewed", actor=user, subject=user)
        return write_recovery_codes(user)


@transaction.atomic
def reset_factors(user: User, *, by: Actor, reason: str, at: datetime) -> None:
    """Take every factor and recovery code from somebody who has lost them, and end their sessions.

    Raises `ReasonMissingError`, and `ReauthenticationRequiredError` for one's own.
    """
    may_not_be_same(by, ReauthenticationRequiredError, accounts=[user.pk])
    if not normalised(reason):
        raise ReasonMissingError
    lock_users([user.pk])
    for rows in (SecondFactor.objects, RecoveryCode.objects, PendingLogIn.objects):
        rows.filter(user=user).delete()
    _begin_anew(user, keep=None, at=at)
    end_access(user.pk, at=at)
    request_mail(MailKind.FACTORS_RESET, user, at=at)
    record(action="second_factor.reset", actor=by, subject=user, reason=reason)


def _begin_anew(user: User, *, keep: UUID | None, at: datetime) -> None:
    """Outdate what was issued for an account, and end its sessions but `keep`."""
    outdate_tokens(user)
    sessions = Session.objects.filter(user=user)
    end_sessions(sessions.exclude(pk=keep) if keep else sessions, at=at)
