"""What the reporting role may not read of the tables that it reads, as the models have it."""

import re
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from accounts.models import Person
from core.masks import masks_of
from core.privacy import Personal, declared, free_texts

# What begins so is academic record.
TABLES = re.compile(r"(departments|students|faculty|courses|enrollment|attendance)_|accounts_person$")
EVERYTHING = "*"


def closed_columns() -> dict[str, list[str]]:
    """Return by table which of its columns reports do not have, all of them as `EVERYTHING`.

    Those are what a mask keeps from anybody who sees the row, what is withheld from the person too, what erasure
    empties (free text, mostly; a person's own columns are who they are, but for the masked ones), free text that may
    name somebody (why a sheet was unlocked), what only the application can read or compare, and all of what erasure
    deletes. Tables that have none of these are left out.
    """
    masked = {column for model in apps.get_models() for mask in masks_of(model) for column in mask.columns}
    personal = {each.model: each for each in declared() if isinstance(each, Personal)}
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy and TABLES.match(model._meta.db_table):
            found[model._meta.db_table] = sorted(_closed(model, masked, personal.get(model)))
    return {table: columns for table, columns in sorted(found.items()) if columns}


def _closed(model: type[Model], masked: set[Any], said: Personal | None) -> set[str]:
    if said is not None and said.deletes:
        return {EVERYTHING}
    named = set() if said is None else {*said.withholds, *(() if model is Person else said.clears)}
    named |= {name for each in free_texts() if each.model is model for name in each.columns}
    return {
        str(field.column)
        for field in model._meta.concrete_fields
        if field in masked or field.name in named or field.db_type(connection) == "bytea"
    }
