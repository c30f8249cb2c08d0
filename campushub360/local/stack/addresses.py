"""Where the parts of the stack listen: the containers' addresses, and this machine's in their place.

The only place that knows both.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from campushub360.local.engine import ADDRESS
from campushub360.local.stack import StackError

# A load test comes from one address, which an institution's edge would take for an attack.
_ROOM_FOR_ONE_ADDRESS = {
    r"rate=\d+r/s": "rate=100000r/s",
    r"burst=\d+": "burst=100000",
    r"(limit_conn \w+) \d+": r"\1 8000",
}


@dataclass(frozen=True)
class Addresses:
    """The ports of this machine, by what compose calls those who listen there; `app` has one for each replica of it.

    A replica gets as many of the requests as its number in `weights` says, compared with the others; all the same
    where there are none.
    """

    ports: dict[str, int]
    app: tuple[int, ...]
    weights: tuple[int, ...] = ()

    def localised(self, text: str) -> str:
        """Return `text` with this machine's addresses in place of the containers'."""
        for service, port in self.ports.items():
            theirs = {"pgbouncer": 6432, "cache": 6379, "state": 6379}.get(service, 5432)
            text = text.replace(f"@{service}:{theirs}/", f"@{ADDRESS}:{port}/")
            text = text.replace(f"host={service} port={theirs}", f"host={ADDRESS} port={port}")
        return text.replace("172.28.60.11:6379", f"{ADDRESS}:{self.ports['cache']}").replace("172.28.60.10", ADDRESS)

    def pgbouncer_ini(self, text: str, folder: Path) -> str:
        """Return pgbouncer.ini for a PgBouncer whose users are listed in `folder`."""
        return _replaced(
            self.localised(text),
            {
                r"listen_addr = \*": f"listen_addr = {ADDRESS}",
                r"listen_port = 6432": f"listen_port = {self.ports['pgbouncer']}",
                r"/etc/pgbouncer/userlist\.txt": f"{folder}/userlist.txt",
            },
        )

    def nginx_conf(self, text: str, folder: Path) -> str:
        """Return nginx.conf, or a file that it includes, for an nginx that has everything in `folder`."""
        temporary = "".join(
            f" {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        required = {
            r"server app:8000 weight=1([^;]*);": "\n        ".join(
                rf"server {ADDRESS}:{port} weight={weight}\1;"
                for port, weight in zip(self.app, self.weights or (1,) * len(self.app), strict=True)
            ),
            r"listen 443 ": f"listen {ADDRESS}:{self.ports['edge']} ",
            r"listen 80;": f"listen {ADDRESS}:{self.ports['edge-plain']};",
            r"listen 127\.0\.0\.1:8080;": f"listen {ADDRESS}:{self.ports['edge-alive']};",
            r"access_log /dev/stdout main ([^;]*);": rf"access_log {folder}/access.log main \1;{temporary}",
        }
        return _replaced(_moved(text, folder), required)

    def edge_file(self, text: str, folder: Path) -> str:
        """Return a file of deploy/edge for that nginx."""
        return _moved(text, folder).replace("listen 9145;", f"listen {ADDRESS}:{self.ports['edge-metrics']};")


def with_room(text: str) -> str:
    """Return nginx.conf with limits that one address does not reach."""
    return _replaced(text, _ROOM_FOR_ONE_ADDRESS)


def _moved(text: str, folder: Path) -> str:
    """Return a text with the paths of the containers' nginx in `folder`."""
    moved = {
        "/etc/nginx/tls/": f"{folder}/",
        "/etc/nginx/edge/": f"{folder}/edge/",
        "/etc/nginx/brotli": f"{folder}/brotli",
        "/tmp/nginx.pid": f"{folder}/nginx.pid",  # noqa: S108 # nosec B108 - where it lies in the container
        "/tmp/edge-cache": f"{folder}/edge-cache",  # noqa: S108 # nosec B108 - the same
        "/srv/campushub360": f"{folder}/collected",
        "/var/lib/campushub360/files/": f"{folder}/stored-files/",
        "/dev/stderr": f"{folder}/error.log",
        "include mime.types;": "include /etc/nginx/mime.types;",
    }
    for theirs, ours in moved.items():
        text = text.replace(theirs, ours)
    return text


def _replaced(text: str, patterns: dict[str, str]) -> str:
    for pattern, ours in patterns.items():
        text, found = re.subn(pattern, ours, text)
        if not found:
            raise StackError(f"the configuration says nothing like {pattern} any more")
    return text
