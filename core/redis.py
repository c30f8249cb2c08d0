"""Redis as everything here asks it: with a short patience, and without a second try."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# More than a worker serves at once.
MOST_CONNECTIONS = 256


def redis_at(url: str, *, patience: float) -> Redis:
    """Return a client of the server at `url` that waits `patience` seconds for an answer and then raises."""
    return Redis.from_url(
        url,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
        max_connections=MOST_CONNECTIONS,
    )
