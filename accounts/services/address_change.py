"""Changing the address that logs in: asked for by the owner, done by whoever reads the new address' mailbox.

An address that another account has is answered like one that is free. Nothing is mailed there, and a link that was
mailed before it was taken is refused like any other that is none.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import MailKind, Session, User
from accounts.services.mails import LINKS_OF_ACCOUNT, LinkNotGoodError, link_of, request_mail, use_link
from accounts.services.reauthentication import reauthenticate
from accounts.services.sessions import end_access, end_sessions
from audit.services import record
from core import crud
from core.errors import DomainError, ForbiddenError, InvalidError
from core.security.limiter import Demand, limiter


class AddressUnchangedError(InvalidError):
    """The new address is the present one."""

    code = "email_unchanged"
    title = "This is the present address."
    field = "new_email"


class TooManyAddressesError(ForbiddenError):
    """An account asks for a few changes of its address in an hour, each of which is a mail to somebody."""

    code = "too_many_addresses"
    title = "Too many other addresses were asked for; try again later."
    field = "new_email"


def request_address_change(
    user: User, *, new_email: str, current_password: str, session_id: UUID | None = None, at: datetime
) -> None:
    """Have a link that changes the address of an account mailed to the new one, and a notice to the present one.

    Raises what `reauthenticate` raises, `AddressUnchangedError` and `TooManyAddressesError`.
    """
    reauthenticate(user, current_password, session_id=session_id, at=at)
    if new_email == user.email:
        raise AddressUnchangedError
    if not limiter().spend([Demand(LINKS_OF_ACCOUNT, f"addresses:{user.pk}")]).is_admitted:
        raise TooManyAddressesError
    with transaction.atomic():
        request_mail(MailKind.ADDRESS_CHANGE, user, address=new_email, session_id=session_id, at=at)
        request_mail(MailKind.ADDRESS_CHANGE_ASKED, user, at=at)
        record(action="address_change.requested", actor=user, subject=user)


def change_address(*, token: str, at: datetime) -> None:
    """Give an account the address whose mailbox the link was read in, and end its sessions but the one that asked.

    Raises `LinkNotGoodError`, also when another account has taken the address meanwhile.
    """
    mail, _ = link_of(MailKind.ADDRESS_CHANGE, token, at=at)
    try:
        with transaction.atomic():
            user = use_link(mail, at=at)
            crud.update(user, {"email": mail.address, "token_version": user.token_version + 1})
            ended = Session.objects.filter(user=user)
            end_sessions(ended.exclude(pk=mail.session_id) if mail.session_id else ended, at=at)
            end_access(user.pk, at=at)
            record(action="account.address_changed", actor=user, subject=user)
            request_mail(MailKind.ADDRESS_CHANGED, user, address=mail.email, at=at)
    except DomainError as refused:
        if refused.error_code == "email_taken":
            raise LinkNotGoodError from refused
        raise
