"""clamd as it is deployed, in a folder of a test's own, with the one signature that the tests need."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import override_settings

from campushub360.local import CHECKOUT
from campushub360.local.packages import find_program
from files import clamd
from tests.local.conftest import eventually

# What every scanner is to find (eicar.org), in two parts, so that none finds it here.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SIGNATURE = f"Eicar-Test:0:*:{EICAR.hex()}\n"
DEPLOYED = CHECKOUT / "deploy" / "clamav" / "clamd.conf"


@contextmanager
def scanner(folder: Path, **options: str) -> Iterator[str]:
    """Run clamd, with these options of its own, and yield what `CLAMD_URL` says of it."""
    signatures = folder / "signatures"
    signatures.mkdir(parents=True, exist_ok=True)
    (signatures / "test.ndb").write_text(SIGNATURE)
    ours = {"DatabaseDirectory": signatures, "TemporaryDirectory": folder, "LocalSocket": folder / "clamd"}
    (folder / "clamd.conf").write_text(_configured(DEPLOYED.read_text(), ours | options))
    program = find_program("clamd")
    assert program is not None
    with (folder / "clamd.log").open("wb") as log:
        process = subprocess.Popen([program, f"--config-file={folder / 'clamd.conf'}"], stdout=log, stderr=log)
    try:
        url = f"unix://{folder / 'clamd'}"
        with override_settings(CLAMD_URL=url):
            assert eventually(lambda: _answers(process), seconds=60)
        yield url
    finally:
        process.kill()
        process.wait()


def _configured(text: str, options: Mapping[str, Any]) -> str:
    """Return the deployed configuration with these options, as whoever runs the tests, and on no port."""
    text = re.sub(r"^(User|TCPSocket|TCPAddr) .*\n", "", text, flags=re.MULTILINE)
    for name, value in options.items():
        text, count = re.subn(rf"^{name} .*$", f"{name} {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    return text


def _answers(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "clamd has ended"
    try:
        clamd.ping()
    except clamd.ScannerUnavailableError:
        return False
    return True
