"""Settings of a server before which PgBouncer stands: those of the tests, connected as production is."""

from campushub360.settings.testing import *  # noqa: F403 - settings are made of settings
from campushub360.settings.testing import database, env

DATABASES = {"default": database("DATABASE_URL")}
DATABASE_DIRECT_URL = env.str("DATABASE_DIRECT_URL")
