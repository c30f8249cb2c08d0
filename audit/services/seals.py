"""Sealing the logs, and finding out whether they still are what was sealed.

The digest of every entry is chained to the one before, in the order of the transactions that wrote them. An edit, a
deletion, an insertion in between or another order gives another hash at the next seal. Readers and writers wait for
nobody: an entry is chained once no transaction is left that could write one before it.

An entry from which personal values were erased is chained by the digest of what it was, which its redaction keeps; it
counts only while the entry is what the redaction left. Redactions are a log of their own, sealed like the others.
"""

import logging
from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import Max
from psycopg import sql

from audit.models import Change, Disclosure, Entry, Event, Redaction, Seal
from audit.services.redaction import unexplained
from core.db.locks import hold_named

logger = logging.getLogger(__name__)

LOGS: dict[str, type[Entry]] = {model._meta.db_table: model for model in (Event, Disclosure, Change, Redaction)}
MOST_ENTRIES = 10_000
BEYOND_EVERYTHING = 2**63 - 1

# Who writes to another database of the server writes nothing here.
_HORIZON = """
    WITH present AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot)
    SELECT coalesce(min(running::text::bigint), (SELECT pg_snapshot_xmax(snapshot)::text::bigint FROM present))
    FROM present, pg_snapshot_xip(snapshot) AS running
    WHERE NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname <> current_database() AND backend_xid = running::xid
    )
"""
# Entries from before keys were named have no prefix, nor had the texts that were chained: an empty one is left out.
_ENTRIES = """
    SELECT xact, id, (to_jsonb(entry) - CASE key_prefix WHEN '' THEN 'key_prefix' ELSE '' END)::text,
        redaction.original, redaction.redacted FROM {log} AS entry
    LEFT JOIN (
        SELECT entry_id, (array_agg(original ORDER BY id DESC))[1] AS original,
            (array_agg(redacted ORDER BY id DESC))[1] AS redacted
        FROM audit_redaction WHERE log = {name} GROUP BY entry_id
    ) AS redaction ON entry.id = redaction.entry_id
    WHERE id > {floor} AND id <= {ceiling} AND xact >= {xact} AND (xact, id) > ({xact}, {id}) AND xact < {horizon}
    ORDER BY xact, id
"""


class RestoredError(Exception):
    """The server counts transactions from below those that are sealed: the database was restored into another one."""


@dataclass(frozen=True)
class Verdict:
    """What became of the entries of a log: how many are sealed and how many are not, the last hash, what is wrong."""

    log: str
    entries: int
    unsealed: int
    head: str
    faults: list[str]


@dataclass
class _Place:
    """How far a chain has come."""

    floor: int = 0
    xact: int = 0
    id: int = 0
    hash: bytes = bytes(32)

    @classmethod
    def of(cls, seal: Seal | None) -> "_Place":
        if seal is None:
            return cls()
        return cls(seal.floor, seal.last_xact, seal.last_id, bytes.fromhex(seal.hash))

    def add(self, xact: int, number: int, digest: bytes) -> None:
        self.xact, self.id, self.hash = xact, number, sha256(self.hash + digest).digest()

    def sealed(self, log: str, entries: int) -> Seal:
        return Seal(
            log=log,
            floor=self.floor,
            last_xact=self.xact,
            last_id=self.id,
            entries=entries,
            hash=self.hash.hex(),
        )


def seal_logs() -> int:
    """Seal what can be sealed of every log, and return how many entries that is.

    Raises `RestoredError` until `seal_restored` was told so, and `LockHeldError` when somebody else is at it.
    """
    return sum(_seal(log) for log in LOGS)


@transaction.atomic
def _seal(log: str) -> int:
    hold_named("audit.seal", log)
    place, horizon = _Place.of(_last(log)), _horizon()
    if horizon < place.xact:
        raise RestoredError(f"{log} is sealed up to transaction {place.xact}; the server is at {horizon}.")
    return _extend(log, place, horizon)


@transaction.atomic
def seal_restored() -> int:
    """Go on sealing in a database that was restored, before anybody writes to it; return how many entries were left.

    What is there is sealed as it is; from then on the transactions are those of the server that it is in now.
    """
    total = 0
    for log, model in LOGS.items():
        hold_named("audit.seal", log)
        place = _Place.of(_last(log))
        total += _extend(log, place, BEYOND_EVERYTHING)
        place.floor = model._default_manager.aggregate(last=Max("id"))["last"] or 0
        place.xact = place.id = 0
        place.sealed(log, 0).save()
    return total


def verify_logs() -> list[Verdict]:
    """Compare every log with its seals, and what was redacted with the erasures that are on record."""
    verdicts = {log: _verify(log) for log in LOGS}
    verdicts[Redaction._meta.db_table].faults.extend(unexplained())
    return list(verdicts.values())


@transaction.atomic
def _verify(log: str) -> Verdict:
    seals = list(Seal.objects.filter(log=log).order_by("pk"))
    place, total, faults = _Place(), 0, []
    entries: Generator[tuple[int, int, bytes]] | None = None
    waiting = None
    for index, seal in enumerate(seals):
        if seal.floor != place.floor or index == 0:
            place.floor, place.xact, place.id = seal.floor, 0, 0
            ceiling = next((s.floor for s in seals[index:] if s.floor > seal.floor), BEYOND_EVERYTHING)
            if waiting is not None:
                faults.append(f"there are more entries than were sealed before seal {seal.pk}")
            if entries is not None:
                entries.close()
            entries = _entries(log, place, BEYOND_EVERYTHING, ceiling)
            waiting = next(entries, None)
        found = 0
        while entries is not None and waiting is not None and waiting[:2] <= (seal.last_xact, seal.last_id):
            place.add(*waiting)
            found += 1
            waiting = next(entries, None)
        if (place.hash.hex(), found) != (seal.hash, seal.entries):
            faults.append(f"seal {seal.pk} of {seal.sealed_at:%Y-%m-%d %H:%M}: {found} of {seal.entries} entries")
        total += found
        place.hash = bytes.fromhex(seal.hash)  # so that what is wrong here is not found wrong in all the others
    if entries is not None:
        entries.close()
    unsealed = max(LOGS[log]._default_manager.count() - total, 0)
    return Verdict(log=log, entries=total, unsealed=unsealed, head=place.hash.hex(), faults=faults)


def _extend(log: str, place: _Place, horizon: int) -> int:
    """Chain the entries before a transaction, seal them, and move the place."""
    total = pending = 0
    for entry in _entries(log, place, horizon):
        place.add(*entry)
        pending += 1
        if pending == MOST_ENTRIES:
            place.sealed(log, pending).save()
            total, pending = total + pending, 0
    if pending:
        place.sealed(log, pending).save()
    total += pending
    if total:
        # Wherever the logs of the processes are kept, the hash is beyond the reach of whoever has the database.
        logger.info("audit.sealed", extra={"log": log, "entries": total, "head": place.hash.hex()})
    return total


def _entries(
    log: str, place: _Place, horizon: int, ceiling: int = BEYOND_EVERYTHING
) -> Generator[tuple[int, int, bytes]]:
    """Yield the entries after a place, in their order, with the digest of what each was when it was written."""
    bounds = {"floor": place.floor, "ceiling": ceiling, "xact": place.xact, "id": place.id, "horizon": horizon}
    statement = sql.SQL(_ENTRIES).format(
        log=sql.Identifier(log), name=sql.Literal(log), **{name: sql.Literal(value) for name, value in bounds.items()}
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', 'UTC', true)")
    with connection.create_cursor("audit_entries") as cursor:
        cursor.itersize = 5000
        cursor.execute(statement)
        for xact, number, text, original, redacted in cursor:
            digest = sha256(text.encode())
            # Whoever changes a redacted entry again leaves a digest that no redaction knows.
            yield xact, number, bytes.fromhex(original) if digest.hexdigest() == redacted else digest.digest()


def _horizon() -> int:
    """Return the transaction from which on some may still be running in this database."""
    with connection.cursor() as cursor:
        cursor.execute(_HORIZON)
        row = cursor.fetchone()
    return int(row[0])


def _last(log: str) -> Seal | None:
    return Seal.objects.filter(log=log).order_by("pk").last()
