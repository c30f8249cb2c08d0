"""Sight of the two models: hidden parents are nobody's to see."""

from typing import Any

from django.db.models import Q

from core.visibility import grants
from tests.testapp.models import Item, Parent


@grants(Parent, "manage")
def everybody_sees_parents_that_are_not_hidden(_actor: Any) -> Q:
    return ~Q(code__startswith="hidden")


@grants(Item, "manage")
def everybody_sees_items(_actor: Any) -> Q:
    return Q()
