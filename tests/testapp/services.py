"""Everything that changes the two models."""

from typing import Any

from core import crud
from core.visibility import Actor
from tests.testapp.models import Item, Parent


def create_parent(*, by: Actor, **values: Any) -> Parent:
    """Create a parent."""
    return crud.create(Parent, values, by=by)


def update_parent(parent: Parent, *, by: Actor, **changes: Any) -> Parent:
    """Change a parent."""
    return crud.update(parent, changes, by=by)


def delete_parent(parent: Parent, *, by: Actor) -> None:
    """Delete a parent that has no items."""
    crud.delete(parent)


def create_item(*, by: Actor, **values: Any) -> Item:
    """Create an item."""
    return crud.create(Item, values, by=by)


def update_item(item: Item, *, by: Actor, **changes: Any) -> Item:
    """Change an item."""
    return crud.update(item, changes, by=by)


def delete_item(item: Item, *, by: Actor) -> None:
    """Delete an item."""
    crud.delete(item)
