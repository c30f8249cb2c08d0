"""Settings and application."""

from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from benchmarks.baselines.settings import DATABASE_URL, PAGE_SIZE, POOL_SIZE

_database = urlsplit(DATABASE_URL)
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF="benchmarks.baselines.plain_drf.api",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "benchmarks.baselines.plain_drf",
    ],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _database.hostname,
            "PORT": _database.port,
            "USER": unquote(_database.username or ""),
            "PASSWORD": unquote(_database.password or ""),
            "NAME": _database.path.lstrip("/"),
            "OPTIONS": {"pool": {"min_size": 1, "max_size": POOL_SIZE}},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
        "PAGE_SIZE": PAGE_SIZE,
    },
    USE_TZ=True,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
    },
)
django.setup(set_prefix=False)

application = WSGIHandler()
