"""What the logs say about people. They name people and rows by their ids, which no foreign key shows."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q

from audit.models import Change, Disclosure, Event
from audit.services import erase_history
from core.privacy import Subject, declared, on_erasure, personal

FOR_GOOD = "For as long as the records are kept; erasure replaces what is personal in it and leaves the entry."
BOOKKEEPING = {"xact": "A count of the database."}


def _events(subject: Subject) -> Q:
    ids = subject.ids
    return Q(actor_id__in=ids) | Q(subject_id__in=ids) | Q(on_behalf_of__in=ids)


def _reason(event: Event) -> str:
    """Return why something was done, unless the record that it is about keeps its reason to itself."""
    keeps_it = any(
        each.model._meta.label_lower == event.subject_kind and "reason" in each.withholds for each in declared()
    )
    return "" if keeps_it else event.reason


def _changes(change: Change) -> dict[str, Any] | None:
    """Return what was changed, without the columns that the record withholds."""
    found = [each for each in declared() if each.model._meta.db_table == change.table_name]
    withheld = {
        column.column for each in found for column in each.model._meta.concrete_fields if column.name in each.withholds
    }
    changes: dict[str, Any] | None = change.changes
    return changes and {name: sides for name, sides in changes.items() if name not in withheld}


def _who_else(row: Any, subject: Subject) -> Collection[str]:
    """Hide who acted, and from where, when that was not the person: it says something about somebody else."""
    is_theirs = str(row.actor_id) in subject.ids
    return () if is_theirs else ("actor_id", "actor_label", "key_prefix", "address")


personal(
    Event,
    says="What you did, tried, or what was done about you, besides changes of records.",
    kept=FOR_GOOD,
    finds=_events,
    keeps=(
        "at action on_behalf_of subject_kind subject_id reason detail "
        "actor_id actor_label key_prefix address request_id"
    ),
    withholds=BOOKKEEPING,
    hides=_who_else,
    tells={"reason": _reason},
)
personal(
    Disclosure,
    says="To whom your records were shown, when, and on what basis.",
    kept="For as long as the record itself (34 CFR 99.32(a)(2)).",
    finds=lambda subject: Q(subject_id__in=subject.people),
    keeps="at what subject_id actor_id actor_label key_prefix basis request_id",
    withholds={**BOOKKEEPING, "route address": "Where those worked who were shown it."},
)
personal(
    Change,
    says="What was changed in the records about you, from what to what.",
    kept=FOR_GOOD,
    finds=lambda subject: Q(row_id__in=subject.ids),
    keeps="at table_name row_id operation changes request_id",
    tells={"changes": _changes},
    withholds={**BOOKKEEPING, "actor_id key_prefix": "Who changed it, in the course of their work."},
)
on_erasure("audit", erase_history)
