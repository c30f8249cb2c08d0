"""How passwords are hashed.

Argon2id with the OWASP cheat sheet's second profile: 19 MiB a hash. Django's own default takes
100 MiB, so that a burst of log-ins would exhaust a small machine's memory.
"""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id, m = 19 MiB, t = 2, p = 1."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
