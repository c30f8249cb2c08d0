"""Many rows at once, by the rules that single rows obey.

The bulk services of the apps are made of these functions. Rows are checked one by one, written
together, and refused one by one: when the database refuses a batch, its rows are tried singly, so
that one bad row costs nobody else their place.
"""

from core.bulk.values import CustomValues, built, faults, one_error, set_values, with_related
from core.bulk.writing import attempt, change, check_deferred, create, delete, insert, update

__all__ = [
    "CustomValues",
    "attempt",
    "built",
    "change",
    "check_deferred",
    "create",
    "delete",
    "faults",
    "insert",
    "one_error",
    "set_values",
    "update",
    "with_related",
]
