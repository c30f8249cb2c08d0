"""Mails to the owners of accounts: asked for in one transaction, sent by a worker after it, when the server takes them.

Whoever asks writes a row and announces its id. The worker that hears of it draws the secret of a link, keeps its hash
and sends the mail, so the secret is in no event, task, log or history, and a mail server that is away keeps nobody
waiting but the worker.
"""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import mailing
from accounts.events import MailRequested
from accounts.models import AccountMail, MailKind, User
from accounts.services.guesses import subject_of
from core.db.purging import purge
from core.errors import InvalidError
from core.events import publish
from core.privacy.retention import spared
from core.security.limiter import Demand, Limit, limiter

SECRET_BYTES = 32
LINK_LIFETIME = timedelta(hours=1)
# How long the mail server may be away before a mail would come as a surprise.
LINK_PATIENCE = timedelta(hours=1)
NOTICE_PATIENCE = timedelta(days=1)
KEPT = timedelta(days=7)
# How many links one account, or one other address, is mailed. Notices are not counted: they follow what only an owner
# can do, and nobody may keep one from being sent.
LINKS_OF_ACCOUNT = Limit("links", quota=10, seconds=3600, burst=5, outage=5)
# Where on `PUBLIC_URL` the pages are that take the secret of a link. What stands behind the # no server is told.
PAGES = {
    MailKind.PASSWORD_RESET: "/password-reset#token=",  # pragma: allowlist secret
    MailKind.ADDRESS_CHANGE: "/address-change#token=",
}
SUBJECTS = {
    MailKind.PASSWORD_RESET: "Set a new password",  # pragma: allowlist secret
    MailKind.PASSWORD_CHANGED: "Your password was changed",  # pragma: allowlist secret
    MailKind.ADDRESS_CHANGE: "Confirm your address",
    MailKind.ADDRESS_CHANGE_ASKED: "Another address was asked for",
    MailKind.ADDRESS_CHANGED: "Your address was changed",
    MailKind.FACTOR_ADDED: "A second factor was added",
    MailKind.FACTOR_REMOVED: "A second factor was removed",
    MailKind.FACTORS_RESET: "Your second factors were taken away",
    MailKind.RECOVERY_CODES_RENEWED: "Your recovery codes were replaced",
    MailKind.RECOVERY_CODE_USED: "A recovery code was used",
}

logger = logging.getLogger(__name__)


class LinkNotGoodError(InvalidError):
    """The link is unknown, used, replaced or too old, or its account has changed; which one is not said."""

    code = "link_not_good"
    title = "This link has been used, has expired or never was good; ask for another."
    field = "token"


def request_mail(
    kind: MailKind, user: User | None, *, address: str = "", session_id: UUID | None = None, at: datetime
) -> None:
    """Have a mail sent to the owner of an account, in the caller's transaction; to nobody when there is none.

    It goes to the account's own address unless another is named. Both cases cost the same.
    """
    email = user.email if user else ""
    mail = AccountMail.objects.create(
        user=user,
        kind=kind,
        address=address or email,
        email=email,
        token_version=user.token_version if user else 0,
        session_id=session_id,
        requested_at=at,
    )
    publish(MailRequested(mail_id=mail.pk))


def send_mail(mail_id: UUID, *, at: datetime) -> None:
    """Send a mail that was asked for; do nothing when it was sent, or has no place any more.

    Raises `MailNotSentError` when the mail server does not take it yet.
    """
    mail = AccountMail.objects.filter(pk=mail_id, user__isnull=False, sent_at=None).first()
    if mail is None:
        return
    is_link = mail.kind in PAGES
    if at - mail.requested_at > (LINK_PATIENCE if is_link else NOTICE_PATIENCE):
        logger.error("mail.given_up", extra={"mail_id": mail.pk, "kind": mail.kind})
        return
    link = _draw_link(mail, at=at) if is_link else ""
    if link is None:
        return
    subject = f"{SUBJECTS[MailKind(mail.kind)]} ({mailing.institution()})"
    try:
        mailing.send(
            mail.kind, to=[mail.address], subject=subject, link=link, at=mail.requested_at, expires_at=mail.expires_at
        )
    except mailing.UnsendableError as error:
        logger.error("mail.unsendable", extra={"mail_id": mail.pk, "kind": mail.kind, "reason": str(error)})  # noqa: TRY400 - its trace would say nothing more
        return
    AccountMail.objects.filter(pk=mail.pk).update(sent_at=at)


def link_of(kind: MailKind, token: str, *, at: datetime) -> tuple[AccountMail, User]:
    """Return the mail whose link a secret is of, and its account; raise `LinkNotGoodError` when it is of none."""
    mail = AccountMail.objects.live(at).select_related("user__person").filter(kind=kind, token_hash=_hash(token))
    found = mail.first()
    if found is None or found.user is None or not _is_as_asked(found, found.user):
        raise LinkNotGoodError
    return found, found.user


def use_link(mail: AccountMail, *, at: datetime) -> User:
    """Use a link up, in the caller's transaction, and return its account, locked until that ends.

    Of many who use one at the same moment, one does; the others get `LinkNotGoodError`.
    """
    user = _locked_owner(mail)
    unused = AccountMail.objects.live(at).filter(pk=mail.pk, token_hash=mail.token_hash)
    if not (_is_as_asked(mail, user) and unused.update(token_hash=None, used_at=at)):
        raise LinkNotGoodError
    return user


def purge_account_mails(*, at: datetime, batch: int = 5000) -> int:
    """Forget mails that were asked for longer than `KEPT` ago, in small transactions; return how many.

    Raises `LockHeldError` when somebody else is at it.
    """
    return purge(mails_due(at), order="requested_at", batch=batch)


def mails_due(at: datetime) -> QuerySet[AccountMail]:
    """Return the mails that were asked for long enough ago, but for those of people whose records are held."""
    return spared(AccountMail.objects.filter(requested_at__lt=at - KEPT), "user__person")


@transaction.atomic
def _draw_link(mail: AccountMail, *, at: datetime) -> str | None:
    """Give a mail a fresh secret, which is good in place of any before, and return the link; None to send none."""
    user = _locked_owner(mail)
    if not _is_as_asked(mail, user) or User.objects.addressed(mail.address).exclude(pk=user.pk).exists():
        return None
    # A mail that is tried again is still the same one.
    if mail.token_hash is None and not limiter().spend([_demand(mail)]).is_admitted:
        logger.warning("mail.too_many_links", extra={"kind": mail.kind, "user_id": user.pk})
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    AccountMail.objects.filter(user=user, kind=mail.kind, token_hash__isnull=False).update(token_hash=None)
    mail.token_hash, mail.expires_at = _hash(secret), at + LINK_LIFETIME
    mail.save(update_fields=["token_hash", "expires_at", "updated_at"])
    return f"{settings.PUBLIC_URL}{PAGES[MailKind(mail.kind)]}{secret}"


def _locked_owner(mail: AccountMail) -> User:
    return User.objects.select_related("person").select_for_update(of=("self",), no_key=True).get(mails=mail)


def _demand(mail: AccountMail) -> Demand:
    """Return what a link counts against: its account, or an address that is none of the account's, as a keyed hash."""
    if mail.address == mail.email:
        return Demand(LINKS_OF_ACCOUNT, f"{mail.kind}:{mail.user_id}")
    return Demand(LINKS_OF_ACCOUNT, subject_of("mailbox", mail.address.casefold().encode()).hex())


def _is_as_asked(mail: AccountMail, user: User) -> bool:
    """Say whether the account is what it was when the mail was asked for: a link outlives no change of it."""
    return user.is_active and (user.token_version, user.email) == (mail.token_version, mail.email)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
