"""Bad days: what is done to a stack while it is read and written, each taking itself back."""

import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import psutil
from redis.exceptions import RedisError

from benchmarks.staleness.stack import RunningStack, listening, wait_until
from campushub360.local.engine import ADDRESS

RELAY, PGBOUNCER = "manage.py relay", "pgbouncer.ini"
REPLICAS = ("replica1", "replica2")
# Somebody else's sessions on the primary: all that programs of the product hold.
OTHERS = "usename = 'campushub360' AND backend_type = 'client backend'"
# Longer than a writer takes to its commit, and not as long as it waits for Redis afterwards.
BETWEEN_SECONDS = 0.15


@dataclass(frozen=True)
class Day:
    """One thing that goes wrong: `act` does it to a stack, goes on for so many seconds, and ends it."""

    name: str
    act: Callable[[RunningStack, float], None]
    # Whether requests that were not through yet may be lost with a process that is killed; else nobody is refused.
    is_deploy: bool = False


def kill_cache(stack: RunningStack, seconds: float) -> None:
    _keep_killing(lambda: [stack.cache()], seconds)


def stop_cache(stack: RunningStack, seconds: float) -> None:
    _stand_still(stack.cache(), seconds)


def flush(stack: RunningStack, seconds: float) -> None:
    for _ in range(3):
        for name in ("cache", "state"):
            with stack.redis(name) as redis:
                redis.flushall()
        time.sleep(seconds / 3)


def kill_state(stack: RunningStack, seconds: float) -> None:
    _keep_killing(lambda: [stack.cache("state")], seconds)


def stop_state(stack: RunningStack, seconds: float) -> None:
    _stand_still(stack.cache("state"), seconds)


def kill_relay(stack: RunningStack, seconds: float) -> None:
    stack.send(signal.SIGKILL, RELAY)
    time.sleep(seconds)


def pause_replica(stack: RunningStack, seconds: float) -> None:
    with none_replays(stack, "replica1"):
        time.sleep(seconds)


def pause_replicas(stack: RunningStack, seconds: float) -> None:
    with none_replays(stack):
        time.sleep(seconds)


@contextmanager
def none_replays(stack: RunningStack, *replicas: str) -> Iterator[None]:
    """Let replicas serve, and stay as they are; all of them, where none is named."""
    paused = replicas or REPLICAS
    for replica in paused:
        stack.tell(replica, "SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        for replica in paused:
            stack.tell(replica, "SELECT pg_wal_replay_resume()")


def kill_replica(stack: RunningStack, seconds: float) -> None:
    _keep_killing(lambda: stack.processes("postgres", "replica1"), seconds)
    wait_until(lambda: bool(stack.processes("postgres", "replica1")), "the replica runs")


def cut_edge_off(stack: RunningStack, seconds: float) -> None:
    """End the connection on which the edge listens, again and again."""
    until = time.monotonic() + seconds
    with stack.redis() as redis:
        while time.monotonic() < until:
            redis.client_kill_filter(_type="pubsub")
            time.sleep(0.05)


def set_clock(stack: RunningStack, seconds: float) -> None:
    """Move all that the cache's clock decides: an hour on, when whatever ends has ended, and an hour back."""
    until, hour = time.monotonic() + seconds, 3600 * 1000
    with stack.redis() as redis:
        while time.monotonic() < until:
            for moved in (-hour, hour):
                for key in redis.scan_iter(count=1000):
                    left = redis.pttl(key)
                    if left > 0:
                        redis.pexpire(key, max(1, left + moved))
                time.sleep(0.2)


def restart_servers(stack: RunningStack, seconds: float) -> None:
    """End each server in turn, and wait until it has been started again and answers."""
    former = stack.masters()
    for master in former:
        master.terminate()
        wait_until(partial(_is_replaced, stack, master, len(former)), "it is back", seconds=90)
        time.sleep(seconds)


def kill_workers(stack: RunningStack, seconds: float) -> None:
    """Kill those who write between their commit and what they would have told of it: there they stand while Redis does.

    Nobody was told that such a write succeeded, and everybody is shown it as soon as the relay has found it.
    """
    for _ in range(max(1, round(seconds / 2))):
        cache = stack.cache()
        cache.suspend()
        try:
            time.sleep(BETWEEN_SECONDS)
            for worker in stack.workers():
                worker.kill()
        finally:
            cache.resume()
        time.sleep(2)


def kill_pgbouncer(stack: RunningStack, seconds: float) -> None:
    _keep_killing(lambda: stack.processes(PGBOUNCER), seconds)


def pause_pgbouncer(stack: RunningStack, seconds: float) -> None:
    stack.send(signal.SIGUSR1, PGBOUNCER)
    time.sleep(seconds)
    stack.send(signal.SIGUSR2, PGBOUNCER)


def reload_pgbouncer(stack: RunningStack, seconds: float) -> None:
    for _ in range(5):
        stack.send(signal.SIGHUP, PGBOUNCER)
        time.sleep(seconds / 5)


def end_sessions(stack: RunningStack, seconds: float) -> None:
    for _ in range(5):
        stack.tell("postgres", f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {OTHERS}")  # noqa: S608 - a constant # nosec B608
        time.sleep(seconds / 5)


def deploy(stack: RunningStack, seconds: float) -> None:
    """Replace the workers of each server in turn, as a deployment does."""
    for master in stack.masters():
        former = {worker.pid for worker in master.children()}
        master.send_signal(signal.SIGHUP)
        wait_until(partial(_has_others, master, former), "others work in their place", seconds=60)
        time.sleep(seconds)


def slow_queries(stack: RunningStack, seconds: float) -> None:
    """Let every query of one table wait, until all connections of the pools do."""
    stack.tell("postgres", f"BEGIN; LOCK TABLE students_student; SELECT pg_sleep({seconds}); COMMIT")


def _keep_killing(processes: Callable[[], list[psutil.Process]], seconds: float) -> None:
    """Kill what is started again, too, until the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = processes()
        except (StopIteration, psutil.NoSuchProcess):  # it is not back yet
            found = []
        for process in found:
            process.kill()
        time.sleep(0.05)


def _stand_still(process: psutil.Process, seconds: float) -> None:
    process.suspend()
    try:
        time.sleep(seconds)
    finally:
        process.resume()


def _has_others(master: psutil.Process, former: set[int]) -> bool:
    return bool({worker.pid for worker in master.children()} - former)


def _is_replaced(stack: RunningStack, former: psutil.Process, number: int) -> bool:
    masters = stack.masters()
    return former not in masters and len(masters) == number and all(map(_answers, masters))


def _answers(master: psutil.Process) -> bool:
    """Say whether a server that was started answers already."""
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}:{listening(master)[0]}/readyz", timeout=5):  # nosec B310
            return True
    except (OSError, IndexError, psutil.NoSuchProcess):
        return False


def is_well(stack: RunningStack) -> bool:
    """Say whether every part answers that a day may have ended."""
    try:
        for name in ("cache", "state"):
            with stack.redis(name) as redis:
                redis.ping()
    except RedisError:
        return False
    return bool(stack.processes(RELAY) and stack.processes(PGBOUNCER) and stack.workers())


DAYS = [
    Day("the cache is killed", kill_cache),
    Day("the cache stands still", stop_cache),
    Day("both caches are emptied", flush),
    Day("the state is killed", kill_state),
    Day("the state stands still", stop_state),
    Day("the relay is killed", kill_relay),
    Day("a replica replays nothing", pause_replica),
    Day("no replica replays anything", pause_replicas),
    Day("a replica is killed", kill_replica),
    Day("the edge is cut off from the cache", cut_edge_off),
    Day("the clock of the cache is set", set_clock),
    Day("servers are killed between commit and raise", kill_workers),
    Day("PgBouncer is killed", kill_pgbouncer),
    Day("PgBouncer pauses", pause_pgbouncer),
    Day("PgBouncer reads its file again", reload_pgbouncer),
    Day("every session of the database is ended", end_sessions),
    Day("the servers are replaced", deploy, is_deploy=True),
    Day("the servers are restarted", restart_servers, is_deploy=True),
    Day("slow queries take all connections", slow_queries),
]
