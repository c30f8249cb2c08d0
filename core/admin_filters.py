"""Filters of administration lists that are narrowed unless somebody asks for more."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin


class UsualFilter(admin.SimpleListFilter):
    """A filter whose first choice, by which nothing is asked for, narrows the list all the same.

    The page names its parameter among the `linked_lookups`.
    """

    usual: ClassVar[str]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *rest = super().choices(changelist)
        yield {**first, "display": self.usual}
        yield from rest
