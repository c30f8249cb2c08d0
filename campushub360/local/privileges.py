"""Which account a server runs as, and how it dies with the process that keeps it.

PostgreSQL refuses to run as root. Started by root it therefore runs as the owner of its data, or as `nobody` the first
time: every system has that account, so none is created. That account may be unable to enter the checkout (below
`/root`, say). Opening the directories to everybody would change more than is ours, so the server is given the one
capability that passes such doors instead.
"""

import ctypes
import os
import pwd
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522


@dataclass(frozen=True)
class Account:
    """A user and group that a server runs as."""

    uid: int
    gid: int
    passes_doors: bool


def account_for(data: Path, binary: Path) -> Account | None:
    """Return whom to run `binary` as on the directory `data`, or None for whoever runs this."""
    if os.geteuid() != 0:
        return None
    owner = data.stat() if data.exists() else None
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    return Account(uid, gid, passes_doors=not (_is_open_to_all(data) and _is_open_to_all(binary)))


def becoming(account: Account | None, *, death_signal: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before its program: become `account`, and get `death_signal` when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            _become(account, libc)
        if sys.platform == "linux":
            _prctl(libc, PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return prepare


def _is_open_to_all(path: Path) -> bool:
    """Return whether everybody may enter each directory above `path`, and run or read `path` itself if it is a file."""
    doors = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
    needed = stat.S_IXOTH | stat.S_IROTH
    return doors and (not path.is_file() or path.stat().st_mode & needed == needed)


def _become(account: Account, libc: ctypes.CDLL) -> None:
    if account.passes_doors:
        # Without it the change of user would drop the capability, and access(2), which initdb asks, would ignore it.
        _prctl(libc, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if account.passes_doors:
        _keep_capability(CAP_DAC_OVERRIDE, libc)


def _keep_capability(capability: int, libc: ctypes.CDLL) -> None:
    """Hold exactly `capability`, also in the programs this process turns into."""
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    # Two triples of effective, permitted and inheritable: capabilities below 32, then those above.
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(libc, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(libc: ctypes.CDLL, option: int, first: int, second: int = 0) -> None:
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")
