"""A person's own machine: `make run`, and every command typed in a checkout.

`manage.py` fills DATABASE_URL and REDIS_URL with the checkout's own servers when they are not set. Secrets that are
not in the environment are made once and kept in `.campus/secrets`.
"""

import os
from importlib.util import find_spec

from campushub360.local.secrets import demo_password, secret
from campushub360.settings.base import *

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or secret("secret-key")
# Known to everybody who has the source, so that a development database stays readable; production refuses them.
ENCRYPTION_KEYS = encryption_keys("development:ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE")
BLIND_INDEX_KEY = blind_index_key("ZGV2ZWxvcG1lbnQtb25seS1ibGluZC1pbmRleC1rZXk")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# These defaults are what the client libraries would try by themselves. They let a tool load the settings (the type
# checker does) without starting a server.
DATABASES = {"default": database("DATABASE_URL", default="postgres:///campushub360"), **replicas()}
DATABASE_DIRECT_URL = env.str("DATABASE_DIRECT_URL", default="") or env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_STATE_URL = env.str("REDIS_STATE_URL", default=REDIS_URL)
CACHES = {"default": cache(REDIS_URL)}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or REDIS_STATE_URL
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL)
RATE_LIMITS = rate_limits(RATE_LIMITS_ON_ONE_MACHINE)

# A program under development listens on the same machine.
OUTGOING_PLAIN_HTTP = True
OUTGOING_ALLOWED_NETWORKS = OUTGOING_ALLOWED_NETWORKS or ["127.0.0.0/8", "::1/128"]

DEMO_ACCOUNTS_ALLOWED = True
DEMO_PASSWORD = demo_password(os.environ)
WHITENOISE_USE_FINDERS = True  # static files come straight from the apps; nothing to collect

# Tools of the development set; `make run` works without them.
INSTALLED_APPS += [app for app in ("django_linear_migrations", "django_migration_linter") if find_spec(app)]
MIGRATION_LINTER_OPTIONS = {
    "sql_analyser": "postgresql",
    "no_cache": True,
    "quiet": ["ok", "ignore"],
    "warnings_as_errors": [],  # all of them
    # It takes an index with a condition on a table made in the same migration for one on a table that is full;
    # tests/architecture/test_migrations.py looks at the operations instead.
    "exclude_migration_tests": ["CREATE_INDEX", "CREATE_INDEX_EXCLUSIVE"],
}
