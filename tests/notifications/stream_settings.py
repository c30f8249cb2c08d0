"""Settings of a server that people listen to: those of the tests, with a small pool, and production's channel."""

from campushub360.settings import base
from campushub360.settings.testing import *  # noqa: F403 - settings are made of settings
from campushub360.settings.testing import database

DATABASES = {"default": database("DATABASE_URL")}
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = 4
DATABASE_POOL_SIZE = 4
NOTIFICATIONS_CHANNEL = base.NOTIFICATIONS_CHANNEL
ALLOWED_HOSTS = ["campus.example.edu"]
