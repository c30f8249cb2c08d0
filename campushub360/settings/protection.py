"""Who may ask how often, from where, how much at once, and what browsers are told about the answers."""

from collections.abc import Mapping

import environ

from core.security.addresses import read_network_lists
from core.security.csp import CSP
from core.security.limiter import Limit

_env = environ.Env()

# --- Where requests come from ----------------------------------------------------------------------------------------

# How many proxies of ours stand before the application, and the addresses they connect from. gunicorn reads the same
# variable before it believes X-Forwarded-Proto.
NUM_PROXIES = _env.int("NUM_PROXIES", default=0)
TRUSTED_PROXIES = [
    network
    for name in _env.list("FORWARDED_ALLOW_IPS", default=["127.0.0.1"])
    for network in (["0.0.0.0/0", "::/0"] if name == "*" else [name.strip()])
]
# Paths that are answered to some networks only: `/admin/=10.0.0.0/8 192.0.2.7;/health/=10.0.0.0/8`. What is counted
# concerns the machines inside, wherever nothing else is said.
IP_ALLOW_LIST = {
    "/metrics": ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    **read_network_lists(_env.str("IP_ALLOW_LIST", default="")),
}

# --- How often -------------------------------------------------------------------------------------------------------

# `1200/60 burst 300 outage 300`: 1200 requests in 60 seconds, evenly, of which 300 may come at once; while the state
# Redis is away each process admits 300 in 60 seconds by itself. `off` lifts a limit.
RATE_LIMITS_DEFAULT = {
    "global": "300000/60 burst 10000 outage 30000",
    "address": "3000/60 burst 600 outage 600",  # a campus may stand behind one address; nginx.conf has the same rate
    "account": "1200/60 burst 300 outage 300",
    "key": "1200/60 burst 300 outage 300",
    "route": "600/60 burst 200 outage 120",  # of one account, or of one address without an account, on one route
    "token": "120/60 burst 40 outage 30",  # of one address, where passwords and tokens are tried
    "calendar": "600/60 burst 120 outage 60",  # of one address, where secret addresses are tried
    "enrollment": "60/60 burst 30 outage 15",  # of one account, where enrolments are written
}
# One person's own machine is one address and often one account; load tests run there.
RATE_LIMITS_ON_ONE_MACHINE = {
    **dict.fromkeys(
        ("global", "address", "account", "key", "route", "calendar", "enrollment"),
        "1200000/60 burst 200000 outage 1200000",
    ),
    "token": "3000/60 burst 600 outage 3000",
}
# Limits of an address that hold for some routes only, by how the route begins.
RATE_LIMITED_ROUTES = {
    "token": (
        "api/v1/auth/token/",
        "api/v1/auth/password/",
        "api/v1/auth/email/",
        "api/v1/auth/mfa/",
        "api/v1/auth/oidc/",
        "admin/login/",
        "admin/password_change/",
        "admin/second_factor/",
    ),
    "calendar": ("calendars/",),
}
# Limits of an account that hold for what is not only read there.
RATE_LIMITED_WRITES = {"enrollment": ("api/v1/enrollments/",)}
RATE_LIMIT_PREFIX = "campushub360:limit"


def rate_limits(defaults: Mapping[str, str]) -> dict[str, Limit]:
    """Return the limits by name: what RATE_LIMIT_<NAME> says, else the default."""
    spelled = {name: _env.str(f"RATE_LIMIT_{name.upper()}", default="") or text for name, text in defaults.items()}
    found = (Limit.parse(name, text) for name, text in spelled.items())
    return {limit.name: limit for limit in found if limit is not None}


RATE_LIMITS = rate_limits(RATE_LIMITS_DEFAULT)

# --- How much --------------------------------------------------------------------------------------------------------

# The largest body in bytes by how the path begins, where it is not DATA_UPLOAD_MAX_MEMORY_SIZE; a form around a file
# takes a little more than the file.
IMPORT_UPLOAD_MAX_SIZE = _env.int("IMPORT_UPLOAD_MAX_SIZE", default=100 * 1024 * 1024)
FILES_MAX_SIZE = _env.int("FILES_MAX_SIZE", default=50 * 1024 * 1024)
BODY_MAX_SIZES = {
    "/api/v1/imports/": IMPORT_UPLOAD_MAX_SIZE + 64 * 1024,
    "/api/v1/files/": FILES_MAX_SIZE + 64 * 1024,
    "/api/v1/files/uploads/": FILES_MAX_SIZE + 64 * 1024,
    "/admin/files/fileasset/add/": FILES_MAX_SIZE + 64 * 1024,
}

# --- Where calls may go ----------------------------------------------------------------------------------------------

# Calls to addresses that somebody names (webhooks, push services) go to public hosts and by HTTPS. Networks of the
# institution's own that may be called all the same; never the ones where its databases are.
OUTGOING_ALLOWED_NETWORKS: list[str] = _env.list("OUTGOING_ALLOWED_NETWORKS", default=[])
# Whom to believe who a host is, in a file of certificates; empty for whom the system believes.
OUTGOING_CA_FILE: str = _env.str("OUTGOING_CA_FILE", default="")
OUTGOING_PLAIN_HTTP = False

# --- What browsers are told ------------------------------------------------------------------------------------------

# Named and shaped as in Django 6. Whatever names no policy of its own may load nothing and be framed by nobody.
SECURE_CSP: dict[str, list[str]] = {"default-src": [CSP.NONE], "frame-ancestors": [CSP.NONE]}
# Pages made of this server's own files; what is inline needs the nonce of its request.
SECURE_CSP_PAGES: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# The applications whose pages have that policy, by the namespace of their URLs.
SECURE_CSP_PAGES_OF = ("admin", "administration")
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
CORS_ALLOW_METHODS = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"]
CORS_ALLOW_HEADERS = [
    *("accept", "accept-language", "authorization", "content-type"),
    *("idempotency-key", "if-match", "if-none-match", "last-event-id", "x-request-id"),
    # Uploads that go on where they broke off (tus).
    *("tus-resumable", "upload-checksum", "upload-length", "upload-metadata", "upload-offset"),
]
CORS_EXPOSE_HEADERS = [
    *("Content-Disposition", "ETag", "Idempotent-Replayed", "Link", "Location"),
    *("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"),
    *("Content-Location", "Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
    *("Upload-Expires", "Upload-Length", "Upload-Offset"),
]
