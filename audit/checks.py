"""System check: the history shows nobody what a mask keeps from them."""

from typing import Any

from django.core.checks import Error, register
from django.db import connection

from audit import tracking


@register("core")
def the_history_tells_nothing_that_is_masked(app_configs: Any, **options: Any) -> list[Error]:
    """Every column of a mask that is closed to anybody who reads the history is withheld in it."""
    if not tracking._readers:
        return [Error("Nobody has said who reads the history.", id="audit.E001")]
    return [
        Error(f"The history shows {column}, which {mask.rule.__name__} guards.", obj=mask.model, id="audit.E002")
        for mask in tracking.closed_masks()
        for column in sorted(mask.columns, key=str)
        if column.column not in tracking.withheld_columns(column.model, connection)
    ]
