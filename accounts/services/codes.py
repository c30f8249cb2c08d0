"""Codes of authenticator apps and recovery codes: making them, and taking each of them once."""

import hashlib
import secrets
from base64 import b32encode
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import means, totp
from accounts.models import FactorKind, MailKind, RecoveryCode, SecondFactor, User
from accounts.services.mails import request_mail

RECOVERY_CODES = 10
# 120 bits: so many that a plain hash suffices (NIST SP 800-63B-4, 3.1.2.2).
RECOVERY_BYTES = 15
GROUP = 6


def use_code(user: User, code: str, *, at: datetime) -> str | None:
    """Take a code and return which means it is; None when it is none of the account, or was taken before.

    Whoever comes second with a code finds it taken, also at the same moment: one statement both asks and takes.
    """
    bare = "".join(character for character in code if character.isalnum())
    if len(bare) == totp.DIGITS and bare.isascii() and bare.isdigit():
        return means.APP if _use_app(user, bare, at) else None
    return means.RECOVERY if _use_recovery_code(user, bare, at) else None


def take_step(factor: SecondFactor, code: str, *, at: datetime) -> bool:
    """Take the code of an app's present step, or of one beside it; say whether it was one and nobody took it before."""
    step = totp.step_of(factor.secret, code, at=at)
    if step is None:
        return False
    taken = SecondFactor.objects.filter(pk=factor.pk, counter__lt=step)
    return bool(taken.update(counter=step, last_used_at=at))


@transaction.atomic
def write_recovery_codes(user: User) -> list[str]:
    """Replace the recovery codes of an account, and return them as nobody will see them again."""
    codes = [_grouped(b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_hash(user.pk, code.replace("-", ""))) for code in codes
    )
    return codes


def _use_app(user: User, code: str, at: datetime) -> bool:
    app = SecondFactor.objects.confirmed().filter(user=user, kind=FactorKind.APP).first()
    return app is not None and take_step(app, code, at=at)


@transaction.atomic
def _use_recovery_code(user: User, code: str, at: datetime) -> bool:
    unused = RecoveryCode.objects.filter(user=user, code_hash=_hash(user.pk, code), used_at__isnull=True)
    is_used = bool(unused.update(used_at=at))
    if is_used:
        request_mail(MailKind.RECOVERY_CODE_USED, user, at=at)
    return is_used


def _hash(user_id: UUID, code: str) -> bytes:
    return hashlib.sha256(user_id.bytes + code.upper().encode(errors="surrogatepass")).digest()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
