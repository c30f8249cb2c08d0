"""The packages of the system that the stack and some of the tests need: which are missing, and how they come.

The one list of them: `make system-packages`, `make test`, continuous integration and the tests that are left out where
something is missing go by it. This runs on the system's Python, before anything else is there, so it needs the standard
library alone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# What administrators' programs lie in, which is on nobody else's path.
PLACES = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
COMMAND = "make system-packages"
# A machine that has just started may be updating itself.
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
SERVICES = {"nginx": ("nginx",), "pgbouncer": ("pgbouncer",), "clamav-daemon": ("clamav-daemon", "clamav-freshclam")}


class PackagesError(Exception):
    """The packages cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class Package:
    """A package of Debian and Ubuntu, and the programs or files of which one tells that it is there."""

    name: str
    signs: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether one of the signs is found."""
        return any(Path(sign).exists() if "/" in sign else find_program(sign) for sign in self.signs)


PACKAGES = (
    Package("nginx", ("nginx",)),
    Package("libnginx-mod-http-lua", ("/usr/lib/nginx/modules/ngx_http_lua_module.so",)),
    Package("libnginx-mod-http-brotli-filter", ("/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so",)),
    Package("pgbouncer", ("pgbouncer",)),
    # 7 MB; the signatures, which are 300, are not needed: the tests bring one of their own.
    Package("clamav-daemon", ("clamd",)),
    Package("wrk", ("wrk",)),
    Package("chromium", ("chromium", "google-chrome")),
    Package("chromium-driver", ("chromedriver",)),
)


def find_program(name: str) -> str | None:
    """Return the path of a program of the system's, if it is installed."""
    return shutil.which(name, path=PLACES)


def missing(names: Iterable[str] | None = None) -> list[str]:
    """Return those of the packages called `names`, or of all, that are not there."""
    wanted = {package.name for package in PACKAGES} if names is None else set(names)
    return [package.name for package in PACKAGES if package.name in wanted and not package.is_there]


def install(names: Sequence[str]) -> list[str]:
    """Install packages, and return those that this system does not offer; raise PackagesError if that fails."""
    if shutil.which("apt-get") is None:
        raise PackagesError(f"this is neither Debian nor Ubuntu: install {', '.join(names)} as your system does it")
    _run(*APT, "update")
    offered = [name for name in names if _is_offered(name)]
    if offered:
        _run(*APT, "install", "--no-install-recommends", "-y", *offered)
    for service in (service for name in offered for service in SERVICES.get(name, ())):
        _silence(service)
    return [name for name in names if name not in offered]


def _run(*command: str) -> None:
    """Run a command as root; its output is shown only if it fails."""
    if os.geteuid() != 0:
        command = ("sudo", *(() if sys.stdin.isatty() else ("-n",)), "DEBIAN_FRONTEND=noninteractive", *command)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except FileNotFoundError as error:
        raise PackagesError(f"{error.filename} is not there: run `{COMMAND}` as root") from error
    if done.returncode != 0:
        raise PackagesError(f"`{' '.join(command)}` failed:\n{done.stdout.strip()}")


def _is_offered(name: str) -> bool:
    untranslated = os.environ | {"LC_ALL": "C"}
    asked = ["apt-cache", "policy", name]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, env=untranslated).stdout
    return "Candidate:" in said and "Candidate: (none)" not in said


def _silence(service: str) -> None:
    """Stop what Debian starts when it is installed: the stack and the tests start their own."""
    if Path("/run/systemd/system").is_dir():
        _run("systemctl", "disable", "--now", "--quiet", service)
    else:
        _run("service", service, "stop")


def main(*, where_allowed: bool) -> int:
    """Install what is missing and return the exit status; `where_allowed`, only as root, and failing is no failure."""
    absent = missing()
    if not absent or (where_allowed and (os.geteuid() != 0 or shutil.which("apt-get") is None)):
        return 0
    print(f"Installing {' '.join(absent)}", flush=True)
    try:
        refused = install(absent)
    except PackagesError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 0 if where_allowed else 1
    if refused:
        print(f"{COMMAND}: this system does not offer {', '.join(refused)}", file=sys.stderr)
    return 0 if where_allowed or not refused else 1


if __name__ == "__main__":
    sys.exit(main(where_allowed="--where-allowed" in sys.argv[1:]))
