"""Secrets that a checkout makes for itself once and then keeps, each in a file only its owner can read."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from campushub360.local import HOME


def secret(name: str, *, home: Path = HOME, size: int = 48) -> str:
    """Return the secret called `name`, made of `size` random bytes the first time it is asked for."""
    folder = home / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(size))
        # A link fails where a rename would overwrite: of two first starts at once, both end with the same secret.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii")


def demo_password(environ: Mapping[str, str], *, home: Path = HOME) -> str:
    """Return the password of the demo accounts: the one in `environ`, or the checkout's own."""
    return environ.get("DEMO_PASSWORD") or secret("demo-password", home=home, size=12)
