"""Indexes that may be named after their table and rule."""

from django.contrib.postgres.indexes import GinIndex


class NamedGinIndex(GinIndex):
    """A GIN index whose name may have PostgreSQL's 63 characters; Django's 30 are for other databases."""

    max_name_length = 63
