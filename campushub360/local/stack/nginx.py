"""The folder of an nginx by the deployment's files: its configuration, a certificate, and the edge's program."""

import shutil
from pathlib import Path

from campushub360.local import CHECKOUT
from campushub360.local.stack.addresses import Addresses
from campushub360.local.stack.certificate import certify

MODULES = Path("/usr/lib/nginx/modules")
BROTLI = "ngx_http_brotli_filter_module.so"
EDGE = CHECKOUT / "deploy" / "edge"


def lay_out(folder: Path, addresses: Addresses, *, with_edge: bool) -> Path:
    """Make `folder` one that nginx runs in, with what keeps answers at the edge or without; return nginx.conf."""
    certify(folder)
    for name in ("edge", "edge-cache"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "edge").mkdir()
    (folder / "modules").unlink(missing_ok=True)
    (folder / "modules").symlink_to(MODULES)  # where Debian's lists of modules look for them
    for file in EDGE.glob("edge*") if with_edge else ():
        (folder / "edge" / file.name).write_text(addresses.edge_file(file.read_text(), folder))
    (folder / "brotli.conf").unlink(missing_ok=True)
    if (MODULES / BROTLI).exists():
        shutil.copy(EDGE / "brotli.conf", folder)
    configuration = folder / "nginx.conf"
    configuration.write_text(addresses.nginx_conf((CHECKOUT / "nginx.conf").read_text(), folder))
    return configuration
