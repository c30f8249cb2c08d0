"""The test suite: the same servers as `make run`, a database of its own, and as little waiting as is honest."""

import os
import sys
from datetime import timedelta

from campushub360.local.servers import ServersError, ensure_servers
from campushub360.settings.base import *
from core.logging import logging_config
from core.security.keys import read_key, read_key_ring
from core.security.limiter import Limit

try:
    os.environ.update(ensure_servers(os.environ))
except ServersError as error:
    sys.exit(f"The tests need their servers: {error}")

DEBUG = False
SECRET_KEY = "the-tests-own-secret-key-which-signs-nothing-outside-of-them"
ENCRYPTION_KEYS = read_key_ring("testing:dGhlLXRlc3RzLW93bi1lbmNyeXB0aW9uLWtleS0tLS0")
BLIND_INDEX_KEY = read_key("dGhlLXRlc3RzLW93bi1ibGluZC1pbmRleC1rZXktLS0")
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1", "[::1]"]

# Every thread of a test has its own connection: a hundred of them racing must not also race for a pool.
DATABASES = {"default": database("DATABASE_URL", pool=False)}
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE_NAME", default="test_campushub360")}
DATABASE_DIRECT_URL = env.str("DATABASE_DIRECT_URL", default=env.str("DATABASE_URL"))
REDIS_URL = env.str("REDIS_URL")
REDIS_STATE_URL = env.str("REDIS_STATE_URL", default=REDIS_URL)
CACHES = {"default": cache(REDIS_URL)}
# Runs side by side, and `make run` beside them, share one server; none may see another's keys.
CACHES["default"]["KEY_PREFIX"] = f"{DATABASES['default']['TEST']['NAME']}:{os.environ.get('PYTEST_XDIST_WORKER', '')}"
# Counted as everywhere, and never too often: tests about limits set their own.
RATE_LIMITS = {name: Limit(name, 10**6, 1, 10**6, 10**6) for name in RATE_LIMITS}
GENERATIONS_PREFIX = f"{CACHES['default']['KEY_PREFIX']}:generations"
ANSWERS_PREFIX = f"{CACHES['default']['KEY_PREFIX']}:answers"
NOTIFICATIONS_CHANNEL = f"{CACHES['default']['KEY_PREFIX']}:notifications"
RATE_LIMIT_PREFIX = f"{CACHES['default']['KEY_PREFIX']}:limit"
# No collector of one run may meet the files of another.
FILES_ROOT = BASE_DIR / ".campus" / "testing" / CACHES["default"]["KEY_PREFIX"].strip(":").replace(":", "-")
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL)

# The days of the tests' terms stand still, and those who teach in them are not meant to lose sight of anybody; tests
# about that set their own.
INSTRUCTOR_ACCESS_GRACE = timedelta(days=100_000)
# Only the tests about hashing care how slow it is; they name the real hashers themselves.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
MFA_REQUIRED_ROLES = []
OIDC_PROVIDERS = []
DEMO_ACCOUNTS_ALLOWED = True
DEMO_PASSWORD = "the-tests-own-demo-password"
LOGGING = logging_config("WARNING")
INSTALLED_APPS += ["tests.testapp"]
