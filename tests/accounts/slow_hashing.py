"""Settings of a server whose passwords take long to hash."""

from accounts.hashers import Argon2idHasher
from campushub360.settings.testing import *  # noqa: F403 - settings are made of settings


class SlowHasher(Argon2idHasher):
    """So slow that many other requests can be answered meanwhile."""

    time_cost = 120


PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
