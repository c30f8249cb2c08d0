"""What Prometheus asks. It stands outside the API, and is answered to the networks of `IP_ALLOW_LIST` alone."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from core.cache.generations import generations
from core.partitions import standings
from core.partitions.making import ask

_WAITING = """
    SELECT (SELECT count(*) FROM core_touch),
        (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(touched_at)), 0) FROM core_touch),
        (SELECT count(*) FROM core_outboxevent WHERE delivered_at IS NULL AND dead_at IS NULL),
        (SELECT count(*) FROM core_outboxevent WHERE dead_at IS NOT NULL),
        (pg_current_wal_lsn() - '0/0')::bigint
"""
_REPLAYED = """
    SELECT (pg_last_wal_replay_lsn() - '0/0')::bigint,
        coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
"""


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Tell what all processes of this server counted, and how the whole stands, in Prometheus's text format."""
    counted = REGISTRY
    if settings.METRICS_DIRECTORY:
        counted = CollectorRegistry()
        collector: Any = MultiProcessCollector
        collector(counted, settings.METRICS_DIRECTORY)
    facts = CollectorRegistry()
    facts.register(Facts())
    return HttpResponse(generate_latest(counted) + generate_latest(facts), content_type=CONTENT_TYPE_LATEST)


class Facts(Collector):
    """What is so for all processes alike; what cannot be found out is left out."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(
            "campushub360_lease_seconds",
            "How much longer generations may be trusted; 0 when nothing that is remembered is used.",
            value=generations().lease_left(),
        )
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute(_WAITING)
                touches, oldest, undelivered, dead, written = cursor.fetchone()
        except (DatabaseError, InterfaceError):
            return
        for name, text, value in (
            ("touches_waiting", "Changes whose generations nobody has raised yet.", touches),
            ("oldest_touch_seconds", "For how long the oldest of them has been waiting.", oldest),
            ("outbox_undelivered", "Announcements that some subscriber has not heard of.", undelivered),
            ("outbox_dead", "Announcements that were given up.", dead),
        ):
            yield GaugeMetricFamily(f"campushub360_{name}", text, value=float(value))
        yield from self._replicas(written)
        yield from self._partitions()

    def _partitions(self) -> Iterator[GaugeMetricFamily]:
        homeless = GaugeMetricFamily(
            "campushub360_partitions_default_rows",
            "Rows in the default partition of a table kept by month; the first ten thousand are counted.",
            labels=["table"],
        )
        ahead = GaugeMetricFamily(
            "campushub360_partitions_months_ahead", "Months that are made after the present one.", labels=["table"]
        )
        try:
            found = standings(ask, at=timezone.now())
        except (DatabaseError, InterfaceError):
            return
        for standing in found:
            homeless.add_metric([standing.table], standing.homeless)
            ahead.add_metric([standing.table], standing.ahead)
        yield homeless
        yield ahead

    def _replicas(self, written: int) -> Iterator[GaugeMetricFamily]:
        behind = GaugeMetricFamily(
            "campushub360_replica_behind_bytes", "How much of the log a replica has yet to replay.", labels=["replica"]
        )
        lag = GaugeMetricFamily(
            "campushub360_replica_lag_seconds", "How old the last commit is that it has replayed.", labels=["replica"]
        )
        up = GaugeMetricFamily(
            "campushub360_replica_up", "1 if a replica answers; 0 if the primary does in its place.", labels=["replica"]
        )
        for alias in connections:
            if alias == DEFAULT_DB_ALIAS:
                continue
            try:
                with connections[alias].cursor() as cursor:
                    cursor.execute(_REPLAYED)
                    replayed, seconds = cursor.fetchone()
            except (DatabaseError, InterfaceError):
                replayed, seconds = None, 0
            up.add_metric([alias], float(replayed is not None))
            if replayed is not None:
                behind.add_metric([alias], max(written - replayed, 0))
                lag.add_metric([alias], float(seconds))
        yield up
        yield behind
        yield lag
