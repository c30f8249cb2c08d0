"""Production refuses to start on an unsafe configuration and says everything that is wrong with it at once."""

import os
import subprocess
import sys

import pytest

from campushub360.local import CHECKOUT
from campushub360.settings.faults import REFRESH_TOKEN_DAYS, faults

SAFE = {
    "SECRET_KEY": "k4Jz-9sQ2vX7bN1mP6rT3wY8cF5hL0dG_aEuIoZqSxVnBjMAb3",
    "ENCRYPTION_KEYS": "key1:8I2vJ0m1cZ4yTq7bRwXe5uLsNnKdPf3hGgAaVtYjBzE=",
    "BLIND_INDEX_KEY": "wq3Zs8Yk1VdJ6fTtLmXo0rPbHcGeN5uA7iQyE2xKj9M=",
    "ALLOWED_HOSTS": "campus.example.edu",
    "FORWARDED_ALLOW_IPS": "192.0.2.10",
    "DATABASE_URL": "postgres://campushub360:d41f7a9c@database.invalid/campushub360",
    "REDIS_URL": "redis://:5b0c2f7d@cache.invalid/0",
    "REDIS_STATE_URL": "redis://:9e8a41c6@state.invalid/0",
    "PUBLIC_URL": "https://campus.example.edu",
    "EMAIL_URL": "smtp+tls://campus:c3f81e20@mail.invalid:587",
    "MAIL_FROM": "CampusHub <campus@example.edu>",
}
POOLED = {
    "DATABASE_IS_POOLED": "true",
    "DATABASE_DIRECT_URL": "postgres://campushub360:d41f7a9c@server.invalid/campushub360",
    "DATABASE_MAX_CONNECTIONS": "57",
}


def load_production(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Import the production settings in a process that has `environment` and nothing else."""
    code = "import campushub360.settings.production as settings; print(settings.DEBUG, settings.ALLOWED_HOSTS)"
    command = [sys.executable, "-c", code]
    environment = environment | {"PATH": os.defpath}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def test_a_safe_configuration_loads() -> None:
    assert faults(SAFE) == []

    done = load_production(SAFE)

    assert (done.returncode, done.stdout) == (0, "False ['campus.example.edu']\n"), done.stderr


def test_an_empty_environment_is_refused_with_one_line_per_fault_and_no_traceback() -> None:
    done = load_production({})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "CampusHub360 does not start on this configuration:",
        "SECRET_KEY is missing",
        "ENCRYPTION_KEYS is missing",
        "BLIND_INDEX_KEY is missing",
        "ALLOWED_HOSTS is empty: name the hosts this answers for",
        "DATABASE_URL is missing",
        "REDIS_URL is missing",
        "REDIS_STATE_URL is missing",
        "FORWARDED_ALLOW_IPS is missing: name the addresses of the proxy that ends TLS",
        "PUBLIC_URL is missing: name where people find the pages that mailed links lead to",
        "EMAIL_URL is missing: name the mail server, such as smtp+tls://user:password@mail.example.edu:587",
        "MAIL_FROM is missing: name the address that mails come from",
    ]


@pytest.mark.checklist(68, 73)
@pytest.mark.parametrize(
    ("change", "beginning"),
    [
        ({"DEBUG": "1"}, "DEBUG is on"),
        ({"DATABASE_URL": "postgres://app:d41f7a9c@pgbouncer.invalid:6432/campus"}, "DATABASE_URL names port 6432"),
        ({"RATE_LIMIT_ACCOUNT": "many"}, "RATE_LIMIT_ACCOUNT: 'many' is no limit"),
        ({"IP_ALLOW_LIST": "/admin/=anywhere"}, "IP_ALLOW_LIST: 'anywhere'"),
        ({"FORWARDED_ALLOW_IPS": "nginx"}, "FORWARDED_ALLOW_IPS names nginx"),
        ({"PUBLIC_URL": "http://campus.example.edu"}, "PUBLIC_URL is no plain https address"),
        ({"LANGUAGETOOL_URL": "languagetool:8010"}, "LANGUAGETOOL_URL is no address of a server"),
        ({"LANGUAGETOOL_URL": "file:///etc/passwd"}, "LANGUAGETOOL_URL is no address of a server"),
        ({"PUBLIC_URL": "https://campus.example.edu/?next="}, "PUBLIC_URL is no plain https address"),
        ({"EMAIL_URL": "smtp://mail.invalid"}, "EMAIL_URL names smtp: mailed links open accounts"),
        ({"EMAIL_URL": "consolemail://"}, "EMAIL_URL names consolemail"),
        ({"MAIL_FROM": "campus"}, "MAIL_FROM is no address"),
        ({"MAIL_FROM": "a@example.edu\nBcc: b@example.edu"}, "MAIL_FROM is no address"),
        ({"ALERT_LOCKED": "-1"}, "ALERT_LOCKED is no number from 0 on"),
        ({"ALERT_OFF_HOURS": "22:00-24"}, "ALERT_OFF_HOURS is no pair of hours"),
        ({"ALERT_RECIPIENTS": "a@example.edu,b"}, "ALERT_RECIPIENTS names 'b', which is no address"),
        ({"NUM_PROXIES": "-1"}, "NUM_PROXIES is no number"),
        ({"DEMO_PASSWORD": "open sesame"}, "DEMO_PASSWORD or DEMO_ACCOUNTS_ALLOWED is set"),
        ({"DEMO_ACCOUNTS_ALLOWED": "yes"}, "DEMO_PASSWORD or DEMO_ACCOUNTS_ALLOWED is set"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is shorter than 50 characters"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is a placeholder"),
        ({"SECRET_KEY": "django-insecure-" + SAFE["SECRET_KEY"]}, "SECRET_KEY is a placeholder"),
        ({"ENCRYPTION_KEYS": SAFE["BLIND_INDEX_KEY"]}, "ENCRYPTION_KEYS key 1 is not of the form id:base64"),
        ({"ENCRYPTION_KEYS": "key1:c2hvcnQ="}, "ENCRYPTION_KEYS key key1 has 5 bytes instead of 32"),
        ({"ENCRYPTION_KEYS": "key1:" + "A" * 43 + "="}, "ENCRYPTION_KEYS key1 is not random"),
        (
            {"ENCRYPTION_KEYS": "development:ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE"},
            "ENCRYPTION_KEYS development is not random",
        ),
        (
            {"ENCRYPTION_KEYS": SAFE["ENCRYPTION_KEYS"] + "," + SAFE["ENCRYPTION_KEYS"]},
            "ENCRYPTION_KEYS gives one id to two keys",
        ),
        ({"BLIND_INDEX_KEY": "nearly base64!"}, "BLIND_INDEX_KEY is not base64"),
        ({"BLIND_INDEX_KEY": "ZGV2ZWxvcG1lbnQtb25seS1ibGluZC1pbmRleC1rZXk"}, "BLIND_INDEX_KEY is not random"),
        (
            {"BLIND_INDEX_KEY": SAFE["ENCRYPTION_KEYS"].removeprefix("key1:")},
            "BLIND_INDEX_KEY is one of ENCRYPTION_KEYS",
        ),
        ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS is empty"),
        ({"ALLOWED_HOSTS": "campus.example.edu,*"}, "ALLOWED_HOSTS contains `*`"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS contains `*`"),
        ({"CORS_ALLOWED_ORIGINS": "null"}, "CORS_ALLOWED_ORIGINS contains `null`"),
        ({"CORS_ALLOWED_ORIGINS": "http://a.example"}, "CORS_ALLOWED_ORIGINS contains http://a.example, which is not"),
        ({"CSRF_TRUSTED_ORIGINS": "https://*.example"}, "CSRF_TRUSTED_ORIGINS contains `https://*.example`"),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "DATABASE_URL names sqlite"),
        ({"DATABASE_URL": "postgres://campushub360@host/name"}, "DATABASE_URL has no password"),
        ({"DATABASE_URL": "postgres://app:App@host/name"}, "DATABASE_URL has a password that anybody would guess"),
        ({"DATABASE_URL": "postgres://postgres:d41f7a9c@host/name"}, "DATABASE_URL connects as the superuser"),
        ({**POOLED, "DATABASE_DIRECT_URL": ""}, "DATABASE_DIRECT_URL is missing"),
        (
            {**POOLED, "DATABASE_DIRECT_URL": SAFE["DATABASE_URL"]},
            "DATABASE_DIRECT_URL names the PgBouncer of",
        ),
        ({**POOLED, "DATABASE_MAX_CONNECTIONS": ""}, "DATABASE_MAX_CONNECTIONS is missing"),
        ({**POOLED, "DATABASE_MAX_CONNECTIONS": "56"}, "47 database connections are wanted"),
        ({"REDIS_URL": "redis://cache:6379/0"}, "REDIS_URL has no password"),
        ({"REDIS_STATE_URL": "memcached://state"}, "REDIS_STATE_URL is not a redis:// or rediss:// URL"),
        ({"REDIS_STATE_URL": SAFE["REDIS_URL"][:-1] + "1"}, "REDIS_STATE_URL is the server of REDIS_URL"),
        ({"CELERY_BROKER_URL": "sqs://key:secret-7d2f@aws"}, "CELERY_BROKER_URL names sqs"),
        ({"CELERY_BROKER_URL": "amqp://guest:guest@host//"}, "CELERY_BROKER_URL has a password that anybody would"),
        ({"SECURE_HSTS_SECONDS": "60"}, "SECURE_HSTS_SECONDS is less than a year"),
        ({"FORWARDED_ALLOW_IPS": "*"}, "FORWARDED_ALLOW_IPS is `*`"),
        ({"TIME_ZONE": "Vienna"}, "TIME_ZONE names Vienna, which is none"),
        ({"ENDED_SESSIONS_KEPT_DAYS": "13"}, "ENDED_SESSIONS_KEPT_DAYS is less than 14"),
        ({"INSTRUCTOR_ACCESS_GRACE_DAYS": "-1"}, "INSTRUCTOR_ACCESS_GRACE_DAYS is not a whole number"),
        ({"ENDED_SESSIONS_KEPT_DAYS": "long"}, "ENDED_SESSIONS_KEPT_DAYS is not a whole number"),
        ({"FRESH_LOG_IN_MINUTES": "90"}, "FRESH_LOG_IN_MINUTES is no number of minutes from 1 to 60"),
        ({"PROGRAM_ACCESS_DAYS": "1000"}, "PROGRAM_ACCESS_DAYS is no number of days from 1 to 366"),
        ({"WEB_CONCURRENCY": "many"}, "WEB_CONCURRENCY is not a positive whole number"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE is not a positive whole number"),
        ({"DATABASE_REPLICA_URLS": "mysql://r1.invalid/campushub360"}, "DATABASE_REPLICA_URLS names something else"),
        ({"DATABASE_REPLICA_URLS": SAFE["DATABASE_URL"]}, "DATABASE_REPLICA_URLS names the primary"),
        ({"DATABASE_ANALYTICS_URL": SAFE["DATABASE_URL"]}, "DATABASE_ANALYTICS_URL names the primary"),
        (
            {"DATABASE_REPLICA_URLS": "postgres://c:d41f7a9c@r1.invalid/replica_1"},
            "DATABASE_REPLICA_URLS names another",
        ),
        ({"DATABASE_REPLICA_URLS": "postgres://c@r1.invalid/campushub360"}, "DATABASE_REPLICA_URLS has no password"),
        ({"DATABASE_REPLICA_MAX_LAG": "nan"}, "DATABASE_REPLICA_MAX_LAG is no whole number"),
        ({"WEB_CONCURRENCY": "5"}, "107 database connections are wanted"),
        ({"APP_REPLICAS": "3"}, "127 database connections are wanted"),
    ],
)
def test_a_single_fault_is_named_and_nothing_else(change: dict[str, str], beginning: str) -> None:
    found = faults(SAFE | change)

    assert len(found) == 1
    assert found[0].startswith(beginning)
    assert "\n" not in found[0]


def test_a_session_is_kept_no_shorter_than_its_refresh_tokens_live() -> None:
    from django.conf import settings

    assert settings.REFRESH_TOKEN_LIFETIME.days == REFRESH_TOKEN_DAYS
    assert faults(SAFE | {"ENDED_SESSIONS_KEPT_DAYS": "14", "TIME_ZONE": "Europe/Vienna"}) == []


def test_replicas_are_read_from_where_there_are_any() -> None:
    code = (
        "import campushub360.settings.production as s; "
        "print(list(s.DATABASES), s.DATABASE_ROUTERS, s.MIDDLEWARE[-1], s.DATABASES.get('replica_2', {}).get('HOST'))"
    )
    two = ",".join(f"postgres://campushub360:d41f7a9c@r{number}.invalid/campushub360" for number in (1, 2))

    told = []
    for more in ({}, {"DATABASE_REPLICA_URLS": two}, {"DATABASE_ANALYTICS_URL": two.split(",")[0]}):
        environment = SAFE | {"PATH": os.defpath} | more
        told.append(subprocess.check_output([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, text=True))

    assert told[0] == "['default'] [] django.contrib.messages.middleware.MessageMiddleware None\n"
    assert told[1] == (
        "['default', 'replica_1', 'replica_2'] ['core.db.router.ReplicaRouter'] "
        "core.middleware.ReplicaReadsMiddleware r2.invalid\n"
    )
    assert told[2] == (
        "['default', 'analytics'] ['core.db.router.ReplicaRouter'] "
        "django.contrib.messages.middleware.MessageMiddleware None\n"
    )


def test_the_connection_arithmetic_grows_with_what_the_server_offers() -> None:
    assert faults(SAFE | {"APP_REPLICAS": "3", "DATABASE_MAX_CONNECTIONS": "137"}) == []
    assert faults(SAFE | POOLED) == []


def test_the_values_that_are_refused_are_not_shown() -> None:
    done = load_production(
        SAFE | {"SECRET_KEY": "Xq7-not-to-be-seen", "DEMO_PASSWORD": "nor-this", "ENCRYPTION_KEYS": "a:not-that"}
    )

    assert done.returncode == 1
    assert "not-to-be-seen" not in done.stderr
    assert "nor-this" not in done.stderr
    assert "not-that" not in done.stderr
