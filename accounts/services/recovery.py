"""Getting back into an account: whoever reads its mailbox may set another password.

Whoever asks is told one thing, after the same statements, whether the address is an account's or not. A reset logs
nobody in and leaves a second factor as it is.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import MailKind, User
from accounts.services.attempts import record_attempt
from accounts.services.mails import link_of, request_mail, use_link
from accounts.services.passwords import accepted_hash, store_password
from accounts.services.sessions import end_access


@transaction.atomic
def request_password_reset(*, email: str, at: datetime) -> None:
    """Have a link that sets a password mailed to the owner of an active account, locked or not; tell nobody whether."""
    user = User.objects.addressed(email).filter(is_active=True, is_service=False).first()
    request_mail(MailKind.PASSWORD_RESET, user, at=at)
    record_attempt(action="password_reset.requested", user=user, at=at)


def reset_password(*, token: str, new_password: str, at: datetime) -> None:
    """Give an account the password that the reader of its mailbox chose, end all its sessions and lift its lock.

    Raises `LinkNotGoodError`, and what the rules refuse, which leaves the link good.
    """
    mail, user = link_of(MailKind.PASSWORD_RESET, token, at=at)
    # Before anything is locked: it takes its time.
    hashed = accepted_hash(user, new_password)
    with transaction.atomic():
        store_password(use_link(mail, at=at), hashed, action="password.reset", at=at)
        end_access(user.pk, at=at)
