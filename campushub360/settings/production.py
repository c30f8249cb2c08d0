"""The real thing. It does not start on an unsafe configuration, and says all that is wrong, one line per fault."""

import os
import sys

from campushub360.settings.faults import SHORTEST_HSTS, faults

if found := faults(os.environ):
    sys.exit("\n".join(["CampusHub360 does not start on this configuration:", *found]))

from campushub360.settings.base import *

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ENCRYPTION_KEYS = encryption_keys()
BLIND_INDEX_KEY = blind_index_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")

DATABASES = {"default": database("DATABASE_URL"), **replicas()}
# What cannot go through PgBouncer (migrations, LISTEN, dumps) connects here.
DATABASE_DIRECT_URL = env.str("DATABASE_DIRECT_URL", default="") or env.str("DATABASE_URL")
REDIS_URL = env.str("REDIS_URL")
REDIS_STATE_URL = env.str("REDIS_STATE_URL")
CACHES = {"default": cache(REDIS_URL)}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or REDIS_STATE_URL
CELERY_BROKER_TRANSPORT_OPTIONS = broker_options(CELERY_BROKER_URL)

# gunicorn believes X-Forwarded-Proto from the proxies in FORWARDED_ALLOW_IPS alone and tells Django through WSGI;
# a SECURE_PROXY_SSL_HEADER here would believe it from anybody.
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=SHORTEST_HSTS)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# People are redirected to HTTPS, to no host but one of ALLOWED_HOSTS. An API that redirects would hide that a client
# sends its token in the clear, and who watches this process asks it plainly.
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^(api|edge|health)/", r"^(livez|readyz|metrics)$"]

MFA_REQUIRED_ROLES = MFA_REQUIRED_ROLES or ["staff"]

STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
DEMO_ACCOUNTS_ALLOWED = False
