"""What is true wherever the project runs. Development, production and testing say what differs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import environ
from celery.schedules import crontab

from campushub360.settings.alerts import *
from campushub360.settings.federation import read_providers
from campushub360.settings.mail import *
from campushub360.settings.protection import *
from core.logging import logging_config
from core.security.keys import KeyRing, read_key, read_key_ring

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# --- Applications, in dependency order -------------------------------------------------------------------------------

FIRST_PARTY_APPS = [
    "core",
    "audit",
    "accounts",
    "privacy",
    "files",
    "notifications",
    "texts",
    "departments",
    "students",
    "faculty",
    "directory",
    "courses",
    "enrollment",
    "attendance",
    "projects",
    "interop",
    "campushub360",
]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    *FIRST_PARTY_APPS,
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.security.csp.ContentSecurityPolicyMiddleware",
    "core.security.headers.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.RequestMiddleware",
    "core.api.edge.EdgeMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.api.guard.GuardMiddleware",
    "core.api.bulkhead.BulkheadMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.AccountInOrderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "campushub360.urls"
WSGI_APPLICATION = "campushub360.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.security.csp.csp",
            ],
        },
    },
]
# The address that logs in is unique whatever its case, by a constraint on an expression that the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Time and language -----------------------------------------------------------------------------------------------

USE_TZ = True
# Where the institution is: its day begins and its nights are there. The API speaks of instants in UTC all the same.
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
LANGUAGE_CODE = "en"
USE_I18N = True

# --- Database --------------------------------------------------------------------------------------------------------

WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=2)
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=20)
# Seconds. Three would refuse what is merely late: two cores that do nothing else record 45 sheets of 60 a second
# (docs/performance.md), so the last of a hundred that arrive at once is through after more than two, and after twice or
# thrice as long on a machine that is busy. Many more than eight would let nothing but waiting fill the processes.
DATABASE_POOL_TIMEOUT = 8
# True when DATABASE_URL names PgBouncer in transaction mode: a cursor that outlives its transaction is lost there.
DATABASE_IS_POOLED = env.bool("DATABASE_IS_POOLED", default=False)


def database(url_variable: str, *, default: str | None = None, pool: bool = True) -> dict[str, Any]:
    """Return the DATABASES entry for the URL in the variable `url_variable`.

    Each process keeps one pool of connections: with gevent every request is a thread of its own, and connections kept
    per thread would never be used again. A connection is checked before it is handed out. Waiting longer than
    DATABASE_POOL_TIMEOUT for one is refused (503) instead of queueing without end. While the server is away the pool
    tries it every second and gives each attempt up after two: left to itself it would double its pauses and be back
    minutes after the server.
    """
    found: dict[str, Any] = env.db_url(url_variable, default=default) if default else env.db_url(url_variable)
    return _connected(found, pool=pool)


def _connected(config: dict[str, Any], *, pool: bool) -> dict[str, Any]:
    config |= {
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,  # services own their transactions
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_IS_POOLED,
    }
    options = config.setdefault("OPTIONS", {})
    options["application_name"] = "campushub360"
    # From so many executions on a connection on, a statement is planned once (`core.db.prepared`).
    options["prepare_threshold"] = None if DATABASE_IS_POOLED else 5
    if pool:
        options["connect_timeout"] = 3
        options["pool"] = {
            "min_size": 1,
            "max_size": DATABASE_POOL_SIZE,
            "timeout": DATABASE_POOL_TIMEOUT,
            "reconnect_timeout": 2,
            "max_lifetime": 1800,
        }
    return config


# Streaming replicas of the database, which answer what the API only reads as long as they have replayed all that was
# acknowledged. None: everything is asked of the primary.
DATABASE_REPLICA_URLS: list[str] = env.list("DATABASE_REPLICA_URLS", default=[])
# A replica that is behind for longer is asked once a second how far it is, and not before each read. With 0 none is
# read from.
DATABASE_REPLICA_MAX_LAG: float = env.int("DATABASE_REPLICA_MAX_LAG", default=10)
# A replica that may be minutes behind, for answers that say how old they are. None: the primary.
DATABASE_ANALYTICS_URL: str = env.str("DATABASE_ANALYTICS_URL", default="")
# Apps whose rows are read from the primary alone: who calls, what they may do, what is answered once, and the logs,
# whose writers raise nothing that a replica could be held to.
DATABASE_PRIMARY_ONLY = frozenset({"accounts", "admin", "audit", "auth", "contenttypes", "core", "sessions"})
DATABASE_ROUTERS = ["core.db.router.ReplicaRouter"] if DATABASE_REPLICA_URLS or DATABASE_ANALYTICS_URL else []
if DATABASE_REPLICA_URLS:
    MIDDLEWARE.append("core.middleware.ReplicaReadsMiddleware")


def replicas() -> dict[str, Any]:
    """Return the DATABASES entries of the replicas. None is waited for: the primary answers instead."""
    entries = {}
    urls = {f"replica_{number}": url for number, url in enumerate(DATABASE_REPLICA_URLS, start=1)}
    if DATABASE_ANALYTICS_URL:
        urls["analytics"] = DATABASE_ANALYTICS_URL
    for alias, url in urls.items():
        config = _connected(env.db_url_config(url.strip()), pool=True)
        config |= {"ENGINE": "core.db.replicas", "DISABLE_SERVER_SIDE_CURSORS": True}
        config["OPTIONS"] |= {"connect_timeout": 2, "pool": config["OPTIONS"]["pool"] | {"timeout": 0.5}}
        entries[alias] = config
    return entries


# Where the processes of this server keep what they count; gunicorn's configuration makes it.
METRICS_DIRECTORY: str = env.str("PROMETHEUS_MULTIPROC_DIR", default="")

# --- Cache and shared state ------------------------------------------------------------------------------------------


def cache(url: str) -> dict[str, Any]:
    """Return the CACHES entry for the Redis server at `url`: JSON values, never pickle, and a short patience."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "campushub360",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
        },
    }


CACHE_TTL = timedelta(minutes=5)
# Where the generations of what is kept in caches lie, on the server of REDIS_URL.
GENERATIONS_PREFIX = "campushub360:generations"
ANSWERS_PREFIX = "campushub360:answers"
# On which processes hear whom something was told, on the server of REDIS_STATE_URL.
NOTIFICATIONS_CHANNEL = "campushub360:notifications"

# --- Celery ----------------------------------------------------------------------------------------------------------
# The outbox is the truth and Celery a doorbell: a task carries ids, its effect is in the database, nothing waits for a
# result. The hard time limit stays below the visibility timeout, else a slow task would run twice side by side.

CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 15 * 60
CELERY_TASK_TIME_LIMIT = 16 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 25
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE


def chore(task: str, *, expires: int = 3600, **when: str) -> dict[str, Any]:
    """Return the schedule's entry for a task, due at the local times that `when` says as crontab does.

    A scheduler begins with every entry due: it keeps no state, so this makes up for what was missed while none ran.
    What no worker has taken within `expires` seconds is dropped; the next run does its part.
    """
    return {
        "task": task,
        "schedule": crontab(**when),
        "options": {"expires": expires},
        "last_run_at": datetime(2000, 1, 1, tzinfo=UTC),
    }


# Named as the management commands that do the same by hand. Between 04:00 and 05:00, because elsewhere in the night
# there are days that have no such hour or have it twice.
CELERY_BEAT_SCHEDULER = "celery.beat.Scheduler"  # in memory; the default one keeps pickles
CELERY_BEAT_SCHEDULE = {
    # Hourly, so that a version is in effect minutes after midnight, and soon after a midnight nobody was up.
    "adopt_course_versions": chore("courses.tasks.adopt_course_versions", minute="5"),
    # Hourly: a key holds the whole answer, and there is one for nearly every write.
    "purge_idempotency_keys": chore("core.tasks.purge_idempotency_keys", minute="35"),
    # Nightly: after an import hundreds of thousands of events fall due on one day.
    "purge_outbox": chore("core.tasks.purge_outbox", hour="4", minute="10"),
    # Nightly: log-ins that ended longer ago than ENDED_SESSIONS_KEPT.
    "purge_sessions": chore("accounts.tasks.purge_sessions", hour="4", minute="25"),
    # Hourly: until it is sealed, whoever owns the tables could change an entry without a trace.
    "seal_audit": chore("audit.tasks.seal_audit", minute="20"),
    # Nightly: the months to come, of which three are always there.
    "partitions": chore("core.tasks.partitions", hour="4", minute="50"),
    # Nightly: the classes of each day, from the timetable and the calendar.
    "generate_sessions": chore("attendance.tasks.generate_sessions", hour="4", minute="45"),
    # Nightly: who is excused in a class that nobody has marked.
    "apply_excuses": chore("attendance.tasks.apply_excuses", hour="4", minute="55"),
    # Nightly: what readers saw of a class that has become known since; before its sheet is locked.
    "weigh_punches": chore("attendance.tasks.weigh_punches", hour="4", minute="2"),
    # Nightly: sheets of classes since which as many days have gone as the policy says.
    "lock_sessions": chore("attendance.tasks.lock_sessions", hour="4", minute="5"),
    # Every five minutes: proposals of substitutes that nobody has answered before the class.
    "expire_substitutions": chore("attendance.tasks.expire_substitutions", expires=240, minute="*/5"),
    # Nightly: that the summaries of attendance are what the marks come to.
    "verify_attendance": chore("attendance.tasks.verify_attendance", hour="4", minute="20"),
    # Nightly: what people guessed wrong long ago.
    "purge_guess_counts": chore("accounts.tasks.purge_guess_counts", hour="4", minute="30"),
    # Every ten minutes: what is worth an alert is worth it soon.
    "raise_alerts": chore("accounts.tasks.raise_alerts", expires=600, minute="*/10"),
    # Every five minutes: for so long an answer is remembered, and what is remembered already costs next to nothing.
    "warm_caches": chore("accounts.tasks.warm_caches", expires=240, minute="*/5"),
    # Nightly: mails to the owners of accounts, a week after they were asked for.
    "purge_account_mails": chore("accounts.tasks.purge_account_mails", hour="4", minute="35"),
    # Nightly: expired log-ins of the administration pages.
    "purge_admin_sessions": chore("accounts.tasks.purge_admin_sessions", hour="4", minute="40"),
    # Nightly: what is personal and has had its time, where no chore of its own deletes it.
    "apply_retention": chore("privacy.tasks.apply_retention", hour="4", minute="55"),
    # Hourly: the files hold everything about somebody.
    "purge_exports": chore("privacy.tasks.purge_exports", minute="50"),
    # Every five minutes: a table whose worker died is begun anew soon, and a file that has had its time goes.
    "tend_exports": chore("interop.tasks.tend_exports", expires=240, minute="*/5"),
    # Every five minutes: a digest or the end of quiet hours is met to within as much, and a mail is tried again.
    "mail_notifications": chore("notifications.tasks.mail_notifications", expires=240, minute="*/5"),
    # Every minute: calls of webhooks that failed are tried again after half a minute at first.
    "call_webhooks": chore("notifications.tasks.call_webhooks", expires=50, minute="*"),
    # Nightly: deleted files that have had their time, and bytes that no file has.
    "purge_files": chore("files.tasks.purge_files", hour="4", minute="15"),
    # Hourly: drafts of projects that nobody has touched for PROJECT_DRAFTS_KEPT.
    "purge_drafts": chore("projects.tasks.purge_drafts", minute="45"),
    # Every five minutes: files that were uploaded while the scanner was away, and those that are due again.
    "scan_files": chore("files.tasks.scan_files", expires=240, minute="*/5"),
}


def broker_options(url: str) -> dict[str, Any]:
    """Return the transport options for the broker at `url`; those of Redis mean nothing to AMQP, which redelivers."""
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return {}
    return {
        "visibility_timeout": 20 * 60,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 5,
        "global_keyprefix": "campushub360:",
    }


# --- Encryption at rest ----------------------------------------------------------------------------------------------


def encryption_keys(default: str | None = None) -> KeyRing:
    """Return the ring of `ENCRYPTION_KEYS`: (id, 32 bytes) each, of which the first encrypts and all decrypt."""
    return read_key_ring(env.str("ENCRYPTION_KEYS", default="") or default or "")


def blind_index_key(default: str | None = None) -> bytes:
    """Return the 32 bytes of `BLIND_INDEX_KEY`, with which equal protected values are found without reading them."""
    return read_key(env.str("BLIND_INDEX_KEY", default="") or default or "")


# --- Accounts and tokens ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
# Argon2id at the size OWASP names (19 MiB, t=2, p=1): Django's default of 100 MiB turns a burst of logins into an
# out-of-memory kill. A password stored by either of the others is rehashed at its owner's next login.
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# For Django's own forms; everything else asks accounts.services.password_rules itself.
AUTH_PASSWORD_VALIDATORS = [{"NAME": "accounts.validators.PasswordRules"}]
# What the institution is called; its words make no password.
INSTITUTION_NAME = env.str("INSTITUTION_NAME", default="")
# Stolen passwords: sorted lines that begin with a SHA-1 in capitals, as Have I Been Pwned's downloader writes them.
BREACH_LIST_FILE = env.str("BREACH_LIST_FILE", default="")
# Roles that nobody uses without a second factor; `staff` is every role but student, guardian and integration.
MFA_REQUIRED_ROLES: list[str] = env.list("MFA_REQUIRED_ROLES", default=[])
# Which site security keys are made for, and the pages that may ask them; the keys know no other.
WEBAUTHN_RP_ID = env.str("WEBAUTHN_RP_ID", default="") or (env.list("ALLOWED_HOSTS", default=[]) or ["localhost"])[0]
WEBAUTHN_ORIGINS: list[str] = env.list("WEBAUTHN_ORIGINS", default=[]) or [f"https://{WEBAUTHN_RP_ID}"]
# OpenID Connect providers where people may log in instead, as accounts.oidc.Provider has them.
OIDC_PLAIN_HTTP_ALLOWED = False
OIDC_PROVIDERS = read_providers(env.ENVIRON)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN_LIFETIME = timedelta(days=14)
# A session ends at the latest then, however often it was refreshed.
SESSION_ABSOLUTE_LIFETIME = timedelta(days=90)
# How long anybody may keep a copy of the public signing keys; a key is published for as long before it signs.
JWKS_MAX_AGE = timedelta(minutes=5)
# An ended session stays this long: whoever presents one of its tokens meets a session that is known to have ended, and
# an enquiry finds who was logged in when. No shorter than a refresh token lives.
ENDED_SESSIONS_KEPT = timedelta(days=env.int("ENDED_SESSIONS_KEPT_DAYS", default=90))
# How long ago an account without a password was logged in to, at most, for what others are asked for their password.
FRESH_LOG_IN = timedelta(minutes=env.int("FRESH_LOG_IN_MINUTES", default=10))
# What API keys open nothing of, whatever their accounts may do.
SESSION_ROUTES = ["/api/v1/auth/"]
API_KEY_LONGEST_LIFE = timedelta(days=env.int("PROGRAM_ACCESS_DAYS", default=365))
# How long a key stays good beside its successor, unless somebody says otherwise, and at most.
API_KEY_OVERLAP = timedelta(days=1)
API_KEY_LONGEST_OVERLAP = timedelta(days=7)
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
# The administration asks for the password again after a working day, whatever was done meanwhile.
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

# How long after the last day of a term its teachers and assistants see whom they taught in it: until grades are settled
# and appeals are over.
INSTRUCTOR_ACCESS_GRACE = timedelta(days=env.int("INSTRUCTOR_ACCESS_GRACE_DAYS", default=120))

# --- HTTP ------------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/api/.*$"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 5
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Uploaded files of imports; web workers and Celery workers both read them.
IMPORT_ROOT = env.path("IMPORT_ROOT", default=str(BASE_DIR / ".campus" / "imports"))()
# How long the files are kept, and how long what they said, without which an import cannot be taken back.
IMPORT_FILES_KEPT = timedelta(days=90)
IMPORT_ROWS_KEPT = timedelta(days=365)
# How long attempts to check in to classes are kept, with device and place: what is marked stays for good.
CHECK_INS_KEPT = timedelta(days=180)
# Files with everything about a person, and tables that were asked for, encrypted; web workers and Celery workers both
# need the folder.
EXPORT_ROOT = env.path("EXPORT_ROOT", default=str(BASE_DIR / ".campus" / "exports"))()
# How long they may be fetched.
SUBJECT_EXPORTS_KEPT = timedelta(days=7)
EXPORTS_KEPT = timedelta(days=3)
# So many tables are made at a time, whoever asked for them: of the processes of a worker one is left for the rest.
EXPORTS_AT_ONCE = max(1, env.int("CELERY_CONCURRENCY", default=2) - 1)
# How long it is known that a table was asked for.
EXPORT_JOBS_KEPT = timedelta(days=90)
# Months of large tables that were put away: `manage.py partitions --archive` writes them, `--restore` reads them.
ARCHIVE_ROOT = env.path("ARCHIVE_ROOT", default=str(BASE_DIR / ".campus" / "archives"))()
# Files that people upload, by their digests: one folder for web workers and Celery workers, and for one database alone.
FILES_ROOT = env.path("FILES_ROOT", default=str(BASE_DIR / ".campus" / "files"))()
# What somebody's files may take, in bytes.
FILES_QUOTA = env.int("FILES_QUOTA", default=1024 * 1024 * 1024)
# Which of the types in files/types.py are taken, by their media types; empty for all.
FILES_TYPES: frozenset[str] = frozenset(env.list("FILES_TYPES", default=[]))
# How long a deleted file may be brought back.
FILES_DELETED_KEPT = timedelta(days=env.int("FILES_DELETED_KEPT_DAYS", default=30))
# How long a draft of a project stays that nobody touches.
PROJECT_DRAFTS_KEPT = timedelta(hours=env.int("PROJECT_DRAFTS_KEPT_HOURS", default=24))
# An upload that comes in parts is forgotten when nothing has come of it for so long.
FILES_UPLOADS_KEPT = timedelta(hours=24)
# A server of LanguageTool, which is sent the texts that are checked for grammar; empty: none is.
LANGUAGETOOL_URL = env.str("LANGUAGETOOL_URL", default="")
# Under which path the nginx before the application has FILES_ROOT, behind a location that is internal; empty: the
# application sends files itself.
FILES_SENT_FROM = env.str("FILES_SENT_FROM", default="")
# The clamd that looks for viruses in what is uploaded, tcp://host:port or unix:///path; with one, nothing is handed out
# that it has not found clean. Empty: nothing is scanned.
CLAMD_URL = env.str("CLAMD_URL", default="")
# A file is scanned again after so long, by signatures that are newer than it.
FILES_RESCANNED_AFTER = timedelta(days=env.int("FILES_RESCANNED_DAYS", default=7))
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / ".campus" / "media"))()

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.SessionTokenAuthentication",
        "accounts.key_authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "core.api.permissions.LoggedIn",
        "accounts.authentication.PasswordInOrder",
        "accounts.authentication.SecondFactorInOrder",
        "core.api.permissions.ActionPermission",
    ],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.renderers.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.renderers.JSONNegotiation",
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.EnvelopeAutoSchema",
    "DATETIME_FORMAT": None,  # the renderer's: instants leave in UTC wherever the institution is
    "EXCEPTION_HANDLER": "core.api.exceptions.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "FORMAT_SUFFIX_KWARG": None,
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttling.RequestThrottle"],
    "NUM_PROXIES": NUM_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}
# How `/health/` knows operators: besides the ways of the API, by the session of the administration.
OPERATOR_AUTHENTICATION_CLASSES = [
    "accounts.session_authentication.AdministrationAuthentication",
    *cast("list[str]", REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"]),
]
SPECTACULAR_SETTINGS = {
    "TITLE": "CampusHub360",
    "DESCRIPTION": "A university's records and operations behind one HTTP API.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["core.api.schema_hooks.complete"],
}

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING = logging_config(env.str("LOG_LEVEL", default="INFO"))
