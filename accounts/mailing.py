"""Handing a mail to the mail server: plain text, and the same in HTML where there is more to it, made from templates.

What people typed takes no part in the templates' source, and nothing can add a header: a subject is one line whatever
was in it, and Django refuses an address that is not.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

# Answers of a mail server from here on are final (RFC 5321, section 4.2.1).
FIRST_FINAL_REPLY = 500


class MailNotSentError(Exception):
    """The mail server is away or does not take the mail at this time."""


class UnsendableError(Exception):
    """No mail server will ever take the mail: its address is none, or nobody's."""


def send(kind: str, *, to: Sequence[str], subject: str, **data: Any) -> None:
    """Send one mail about accounts; raise as `hand_over` does."""
    hand_over(render_to_string("accounts/mail.txt", {"kind": kind, "institution": institution(), **data}), to, subject)


def hand_over(body: str, to: Sequence[str], subject: str, *, page: str = "") -> None:
    """Send one mail, with a page of HTML that says the same if there is one.

    Raises `MailNotSentError` when that may be tried again, and `UnsendableError` when not. Neither says what the
    server said, which quotes addresses.
    """
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()), body=body, to=list(to), headers={"Auto-Submitted": "auto-generated"}
    )
    if page:
        message.attach_alternative(page, "text/html")
    try:
        message.send()
    except OSError as error:  # as all are that smtplib raises
        failure = UnsendableError if _is_final(error) else MailNotSentError
        raise failure(type(error).__name__) from None
    except ValueError as error:  # what can be no header
        raise UnsendableError(type(error).__name__) from None


def institution() -> str:
    """Return whom a mail speaks for."""
    return settings.INSTITUTION_NAME or "CampusHub360"


def _is_final(error: Exception) -> bool:
    """Say whether the server refused the recipient, and for good."""
    refused: dict[str, tuple[int, bytes]] = getattr(error, "recipients", {})
    return bool(refused) and all(code >= FIRST_FINAL_REPLY for code, _ in refused.values())
