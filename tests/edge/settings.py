"""Settings of a server behind the edge: those of the tests, with the keys of production in a Redis of its own."""

from campushub360.settings import base
from campushub360.settings.testing import *  # noqa: F403 - settings are made of settings
from campushub360.settings.testing import database

DATABASES = {"default": database("DATABASE_URL")}
GENERATIONS_PREFIX = base.GENERATIONS_PREFIX
ANSWERS_PREFIX = base.ANSWERS_PREFIX
ALLOWED_HOSTS = ["campus.example.edu"]
