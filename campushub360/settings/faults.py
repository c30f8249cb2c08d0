"""What makes a production configuration unsafe, said one line per fault, all of them at once."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from campushub360.settings.federation import read_providers
from core.security.addresses import is_network, read_network_lists
from core.security.keys import KeyRing, UnusableKeyError, is_guessable, read_key, read_key_ring
from core.security.limiter import Limit
from files.types import KNOWN

Environment = Mapping[str, str]

SHORTEST_KEY = 50
FEWEST_CHARACTERS = 10
SHORTEST_HSTS = 365 * 24 * 3600
REFRESH_TOKEN_DAYS = 14
MOST_KEY_DAYS = 366
MOST_FRESH_MINUTES = 60
GUESSES = {"", "admin", "campushub360", "changeme", "guest", "pass", "password", "postgres", "root", "secret", "user"}
SENDER = re.compile(r"[^\s<>@]+@[^\s<>@]+|[^<>@\r\n]+ <[^\s<>@]+@[^\s<>@]+>")
SENT_FROM = re.compile(r"(/[a-z0-9-]+)+/")
CLAMD = re.compile(r"tcp://[A-Za-z0-9._-]+:\d{1,5}|unix://(/[A-Za-z0-9._-]+)+")
OFF_HOURS = re.compile(r"([01]?\d|2[0-3])-([01]?\d|2[0-3])")
# What is connected to the database beside the workers: a relay delivers, listens, and keeps the generations of the
# caches; two commands are typed or scheduled by hand. What probes open for a moment is part of the reserve.
RELAY_CONNECTIONS = 3
OTHER_CONNECTIONS = RELAY_CONNECTIONS + 2
POOLERS_PORT = 6432


def faults(env: Environment) -> list[str]:
    """Return everything that is wrong with the environment `env`; nothing means that production may start on it."""
    return list(chain.from_iterable(check(env) for check in CHECKS))


def _switches(env: Environment) -> Iterator[str]:
    if _is_on(env, "DEBUG"):
        yield "DEBUG is on: it shows source code and settings to anybody who causes an error"
    if env.get("DEMO_PASSWORD") or _is_on(env, "DEMO_ACCOUNTS_ALLOWED"):
        yield "DEMO_PASSWORD or DEMO_ACCOUNTS_ALLOWED is set: demo accounts have no place in production"


def _secret_key(env: Environment) -> Iterator[str]:
    key = env.get("SECRET_KEY", "")
    if not key:
        yield "SECRET_KEY is missing"
    elif len(key) < SHORTEST_KEY:
        yield f"SECRET_KEY is shorter than {SHORTEST_KEY} characters"
    elif len(set(key)) < FEWEST_CHARACTERS or key.startswith(("django-insecure", "change")):
        yield "SECRET_KEY is a placeholder: `openssl rand -base64 48` prints a good one"


def _encryption(env: Environment) -> Iterator[str]:
    keys: dict[str, bytes] = {}
    for name, read in (("ENCRYPTION_KEYS", read_key_ring), ("BLIND_INDEX_KEY", _index_key)):
        if not env.get(name):
            yield f"{name} is missing"
            continue
        try:
            found = {f"{name} {key_id}".strip(): key for key_id, key in read(env[name])}
        except UnusableKeyError as error:
            yield f"{name} {error}"
            continue
        yield from (
            f"{key} is not random: `openssl rand -base64 32` prints a good one"
            for key in found
            if is_guessable(found[key])
        )
        if set(found.values()) & set(keys.values()):
            yield f"{name} is one of ENCRYPTION_KEYS: one leak would be two"
        keys |= found


def _hosts(env: Environment) -> Iterator[str]:
    hosts = _items(env, "ALLOWED_HOSTS")
    if not hosts:
        yield "ALLOWED_HOSTS is empty: name the hosts this answers for"
    if any("*" in host for host in hosts):
        yield "ALLOWED_HOSTS contains `*`: anybody could choose the host in the links we make"
    for name in ("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS"):
        for origin in _items(env, name):
            if "*" in origin or origin == "null":
                yield f"{name} contains `{origin}`: name each origin"
            elif not origin.startswith("https://"):
                yield f"{name} contains {origin}, which is not https"


def _database(env: Environment) -> Iterator[str]:
    url = urlsplit(env.get("DATABASE_URL", ""))
    if not url.scheme:
        yield "DATABASE_URL is missing"
        return
    if url.scheme not in {"postgres", "postgresql"}:
        yield f"DATABASE_URL names {url.scheme}: PostgreSQL is the only database that keeps the promises made here"
        return
    yield from _password("DATABASE_URL", url)
    if url.username == "postgres":
        yield "DATABASE_URL connects as the superuser postgres: use a role of its own"
    if _is_on(env, "DATABASE_IS_POOLED"):
        yield from _pooler(env, url)
    elif url.netloc.endswith(f":{POOLERS_PORT}"):
        yield f"DATABASE_URL names port {POOLERS_PORT}, which is PgBouncer's, and DATABASE_IS_POOLED is off"


def _pooler(env: Environment, url: SplitResult) -> Iterator[str]:
    direct = urlsplit(env.get("DATABASE_DIRECT_URL", ""))
    if not direct.netloc:
        yield "DATABASE_DIRECT_URL is missing: migrations and the relay cannot go through PgBouncer"
    elif (direct.hostname, direct.port) == (url.hostname, url.port):
        yield "DATABASE_DIRECT_URL names the PgBouncer of DATABASE_URL: name the server behind it"
    if not env.get("DATABASE_MAX_CONNECTIONS"):
        yield "DATABASE_MAX_CONNECTIONS is missing: give it the default_pool_size of PgBouncer, which is 20 by itself"


def _replicas(env: Environment) -> Iterator[str]:
    primary = urlsplit(env.get("DATABASE_DIRECT_URL") or env.get("DATABASE_URL", ""))
    named = [("DATABASE_REPLICA_URLS", url) for url in _items(env, "DATABASE_REPLICA_URLS")]
    named += [("DATABASE_ANALYTICS_URL", url) for url in _items(env, "DATABASE_ANALYTICS_URL")]
    for name, url in ((name, urlsplit(text)) for name, text in named):
        if url.scheme not in {"postgres", "postgresql"}:
            yield f"{name} names something else than postgres:// URLs"
        elif url.netloc.rpartition("@")[2] == primary.netloc.rpartition("@")[2]:
            yield f"{name} names the primary"
        elif url.path != primary.path:
            yield f"{name} names another database than DATABASE_URL: a replica has the same elsewhere"
        else:
            yield from _password(name, url)
    if _number(env, "DATABASE_REPLICA_MAX_LAG", 0) < 0:
        yield "DATABASE_REPLICA_MAX_LAG is no whole number of seconds"


def _redis(env: Environment) -> Iterator[str]:
    for name in ("REDIS_URL", "REDIS_STATE_URL"):
        url = urlsplit(env.get(name, ""))
        if not url.scheme:
            yield f"{name} is missing"
        elif url.scheme not in {"redis", "rediss"}:
            yield f"{name} is not a redis:// or rediss:// URL"
        else:
            yield from _password(name, url)
    cache, state = (urlsplit(env.get(name, "")).netloc for name in ("REDIS_URL", "REDIS_STATE_URL"))
    if cache and cache == state:
        yield "REDIS_STATE_URL is the server of REDIS_URL: a full cache would evict queues and revoked sessions"
    broker = urlsplit(env.get("CELERY_BROKER_URL", ""))
    if broker.scheme and broker.scheme not in {"redis", "rediss", "amqp", "amqps"}:
        yield f"CELERY_BROKER_URL names {broker.scheme}: use Redis or AMQP"
    elif broker.scheme:
        yield from _password("CELERY_BROKER_URL", broker)


def _transport(env: Environment) -> Iterator[str]:
    if _number(env, "SECURE_HSTS_SECONDS", SHORTEST_HSTS) < SHORTEST_HSTS:
        yield "SECURE_HSTS_SECONDS is less than a year: browsers would forget to insist on HTTPS"
    proxies = _items(env, "FORWARDED_ALLOW_IPS")
    if not proxies:
        yield "FORWARDED_ALLOW_IPS is missing: name the addresses of the proxy that ends TLS"
    if "*" in proxies:
        yield "FORWARDED_ALLOW_IPS is `*`: anybody could claim to have come over HTTPS"


def _housekeeping(env: Environment) -> Iterator[str]:
    zone = env.get("TIME_ZONE")
    if zone and zone not in available_timezones():
        yield f"TIME_ZONE names {zone}, which is none: Europe/Vienna is one"
    days = _number(env, "ENDED_SESSIONS_KEPT_DAYS", REFRESH_TOKEN_DAYS)
    if days < 0:
        yield "ENDED_SESSIONS_KEPT_DAYS is not a whole number"
    elif days < REFRESH_TOKEN_DAYS:
        yield (
            f"ENDED_SESSIONS_KEPT_DAYS is less than {REFRESH_TOKEN_DAYS}: a session would be forgotten while its "
            "refresh tokens are about"
        )
    if not 1 <= _number(env, "FRESH_LOG_IN_MINUTES", 1) <= MOST_FRESH_MINUTES:
        yield (
            f"FRESH_LOG_IN_MINUTES is no number of minutes from 1 to {MOST_FRESH_MINUTES}: a session left open would "
            "change what opens its account"
        )
    if _number(env, "INSTRUCTOR_ACCESS_GRACE_DAYS", 0) < 0:
        yield "INSTRUCTOR_ACCESS_GRACE_DAYS is not a whole number"
    if not 1 <= _number(env, "PROGRAM_ACCESS_DAYS", 1) <= MOST_KEY_DAYS:
        yield f"PROGRAM_ACCESS_DAYS is no number of days from 1 to {MOST_KEY_DAYS}"


def _arithmetic(env: Environment) -> Iterator[str]:
    names = {"APP_REPLICAS": 1, "WEB_CONCURRENCY": 2, "DATABASE_POOL_SIZE": 20, "CELERY_CONCURRENCY": 2}
    limits = {"DATABASE_MAX_CONNECTIONS": 100, "DATABASE_RESERVED_CONNECTIONS": 10}
    values = {name: _number(env, name, default) for name, default in (names | limits).items()}
    wrong = [name for name, value in values.items() if value < 1]
    yield from (f"{name} is not a positive whole number" for name in wrong)
    if wrong:
        return
    web = values["APP_REPLICAS"] * values["WEB_CONCURRENCY"] * values["DATABASE_POOL_SIZE"]
    wanted = web + values["CELERY_CONCURRENCY"] + OTHER_CONNECTIONS
    offered = values["DATABASE_MAX_CONNECTIONS"] - values["DATABASE_RESERVED_CONNECTIONS"]
    if wanted > offered:
        yield (
            f"{wanted} database connections are wanted (APP_REPLICAS x WEB_CONCURRENCY x DATABASE_POOL_SIZE + "
            f"CELERY_CONCURRENCY + {OTHER_CONNECTIONS}) and {offered} offered (DATABASE_MAX_CONNECTIONS - "
            "DATABASE_RESERVED_CONNECTIONS)"
        )


def _protection(env: Environment) -> Iterator[str]:
    for name, text in sorted(env.items()):
        if name.startswith("RATE_LIMIT_") and text:
            try:
                Limit.parse(name, text)
            except ValueError as error:
                yield f"{name}: {error}"
    try:
        read_network_lists(env.get("IP_ALLOW_LIST", ""))
    except ValueError as error:
        yield f"IP_ALLOW_LIST: {error}"
    for name in _items(env, "FORWARDED_ALLOW_IPS"):
        if name != "*" and not is_network(name):
            yield f"FORWARDED_ALLOW_IPS names {name}, which is no address"
    if _number(env, "NUM_PROXIES", 0) < 0:
        yield "NUM_PROXIES is no number of proxies"


def _mail(env: Environment) -> Iterator[str]:
    pages, server = (urlsplit(env.get(name, "")) for name in ("PUBLIC_URL", "EMAIL_URL"))
    if not pages.scheme:
        yield "PUBLIC_URL is missing: name where people find the pages that mailed links lead to"
    elif pages.scheme != "https" or not pages.hostname or "@" in pages.netloc or pages.query or pages.fragment:
        yield "PUBLIC_URL is no plain https address: https://campus.example.edu is one"
    if not server.scheme:
        yield "EMAIL_URL is missing: name the mail server, such as smtp+tls://user:password@mail.example.edu:587"
    elif server.scheme not in {"smtp+tls", "smtp+ssl"} or not server.hostname:
        yield f"EMAIL_URL names {server.scheme}: mailed links open accounts, so use smtp+tls or smtp+ssl"
    if not env.get("MAIL_FROM"):
        yield "MAIL_FROM is missing: name the address that mails come from"
    elif not SENDER.fullmatch(env["MAIL_FROM"]):
        yield "MAIL_FROM is no address: campus@example.edu or CampusHub <campus@example.edu> is one"


def _alerts(env: Environment) -> Iterator[str]:
    for name in ("DISCLOSED", "DISCLOSED_OFF_HOURS", "LOCKED", "FAILED", "FAILED_ADDRESSES"):
        if _number(env, f"ALERT_{name}", 0) < 0:
            yield f"ALERT_{name} is no number from 0 on"
    if not OFF_HOURS.fullmatch(env.get("ALERT_OFF_HOURS") or "22-5"):
        yield "ALERT_OFF_HOURS is no pair of hours: 22-5 is one"
    for address in _items(env, "ALERT_RECIPIENTS"):
        if not SENDER.fullmatch(address):
            yield f"ALERT_RECIPIENTS names {address!r}, which is no address"


def _passwords(env: Environment) -> Iterator[str]:
    path = env.get("BREACH_LIST_FILE")
    if path and not os.access(path, os.R_OK):
        yield f"BREACH_LIST_FILE names {path}, which cannot be read"


def _files(env: Environment) -> Iterator[str]:
    for name in ("FILES_MAX_SIZE", "FILES_QUOTA", "FILES_DELETED_KEPT_DAYS", "FILES_RESCANNED_DAYS"):
        if _number(env, name, 1) < 1:
            yield f"{name} is no whole number from 1 on"
    root = Path(env.get("FILES_ROOT") or "/")
    if not root.is_absolute():
        yield f"FILES_ROOT is {root}, which is somewhere else for every process: begin it with a slash"
    elif env.get("FILES_ROOT") and not (root.is_dir() and os.access(root, os.W_OK | os.X_OK)):
        yield f"FILES_ROOT names {root}, which is no folder that the application may write to"
    if env.get("FILES_SENT_FROM") and not SENT_FROM.fullmatch(env["FILES_SENT_FROM"]):
        yield "FILES_SENT_FROM is no path that begins and ends with a slash: /stored-files/ is one"
    if env.get("CLAMD_URL") and not CLAMD.fullmatch(env["CLAMD_URL"]):
        yield "CLAMD_URL is neither tcp://host:port nor unix:///path"
    if unknown := set(_items(env, "FILES_TYPES")) - KNOWN:
        yield f"FILES_TYPES names {', '.join(sorted(unknown))}; known are {', '.join(sorted(KNOWN))}"


def _projects(env: Environment) -> Iterator[str]:
    if _number(env, "PROJECT_DRAFTS_KEPT_HOURS", 1) < 1:
        yield "PROJECT_DRAFTS_KEPT_HOURS is no whole number from 1 on"


def _texts(env: Environment) -> Iterator[str]:
    url = urlsplit(env.get("LANGUAGETOOL_URL", ""))
    if url.geturl() and (url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment):
        yield "LANGUAGETOOL_URL is no address of a server: http://languagetool:8010 is one"


def _second_factors(env: Environment) -> Iterator[str]:
    roles = _items(env, "MFA_REQUIRED_ROLES")
    if roles and not {"staff", "system_admin"} & set(roles):
        yield (
            "MFA_REQUIRED_ROLES names neither staff nor system_admin: a stolen password would open everything; leave "
            "it empty for staff"
        )


def _federation(env: Environment) -> Iterator[str]:
    try:
        read_providers(env)
    except ValueError as error:
        yield str(error)


CHECKS: tuple[Callable[[Environment], Iterator[str]], ...] = (
    _switches,
    _secret_key,
    _encryption,
    _hosts,
    _database,
    _replicas,
    _redis,
    _transport,
    _housekeeping,
    _protection,
    _passwords,
    _files,
    _projects,
    _texts,
    _mail,
    _alerts,
    _second_factors,
    _federation,
    _arithmetic,
)


def _index_key(text: str) -> KeyRing:
    return (("", read_key(text)),)


def _password(name: str, url: SplitResult) -> Iterator[str]:
    if not url.password:
        yield f"{name} has no password"
    elif url.password.lower() in GUESSES | {(url.username or "").lower()}:
        yield f"{name} has a password that anybody would guess"


def _is_on(env: Environment, name: str) -> bool:
    return env.get(name, "").lower() not in {"", "0", "false", "no", "off"}


def _items(env: Environment, name: str) -> list[str]:
    return [item.strip() for item in env.get(name, "").split(",") if item.strip()]


def _number(env: Environment, name: str, default: int) -> int:
    """Return the number in the variable `name`, the default if it is not set, or -1 if it is not a number."""
    try:
        return int(env.get(name) or default)
    except ValueError:
        return -1
