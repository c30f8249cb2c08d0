"""What tests do with mails to the owners of accounts: sending those that are wanted, and reading their links."""

import re

from django.core import mail

from accounts import tasks
from accounts.models import AccountMail


def send_wanted() -> list[str]:
    """Send what was asked for, as workers do, and return whom it went to, in the order of their asking."""
    before = len(mail.outbox)
    for wanted in AccountMail.objects.filter(sent_at=None).order_by("requested_at", "pk"):
        tasks.send_mail(str(wanted.pk))
    return [recipient for message in mail.outbox[before:] for recipient in message.to]


def secret_of(text: str) -> str:
    """Return the secret that the link in a mail ends with."""
    [secret] = re.findall(r"#token=([\w-]{43})$", text, re.MULTILINE)
    return str(secret)


def last_secret() -> str:
    """Return the secret of the link that was mailed last."""
    return next(secret_of(str(message.body)) for message in reversed(mail.outbox) if "#token=" in message.body)
