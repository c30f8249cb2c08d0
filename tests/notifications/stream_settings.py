"""Settings of a server that people listen to: those of the tests, with a small pool, and production's channel."""

import os

from campushub360.settings import base
from campushub360.settings.testing import *  # noqa: F403 - settings are made of settings
from campushub360.settings.testing import database

DATABASE_POOL_SIZE = int(os.environ["STREAMS_CONNECTIONS"])
DATABASES = {"default": database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = DATABASE_POOL_SIZE
DATABASES["default"]["OPTIONS"]["application_name"] = os.environ["STREAMS_NAME"]
NOTIFICATIONS_CHANNEL = base.NOTIFICATIONS_CHANNEL
ALLOWED_HOSTS = ["campus.example.edu"]
