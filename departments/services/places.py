"""What changes campuses, buildings and rooms."""

from typing import TypedDict, Unpack

from core import crud
from core.visibility import Actor
from departments.models import Building, Campus, Room


class CampusValues(TypedDict, total=False):
    code: str
    name: str
    time_zone: str
    is_active: bool


class BuildingValues(TypedDict, total=False):
    campus: Campus
    code: str
    name: str


class RoomValues(TypedDict, total=False):
    building: Building
    code: str
    name: str
    capacity: int
    exam_capacity: int
    kind: str
    features: list[str]
    is_bookable: bool


def create_campus(*, by: Actor | None, **values: Unpack[CampusValues]) -> Campus:
    """Add a campus; refused with `code_taken`."""
    return crud.create(Campus, values)


def update_campus(campus: Campus, *, by: Actor | None, **changes: Unpack[CampusValues]) -> Campus:
    """Change a campus."""
    return crud.update(campus, changes)


def delete_campus(campus: Campus, *, by: Actor | None) -> None:
    """Delete a campus without buildings; refused with `in_use` otherwise."""
    crud.delete(campus)


def create_building(*, by: Actor | None, **values: Unpack[BuildingValues]) -> Building:
    """Add a building to a campus; refused with `code_taken`."""
    return crud.create(Building, values)


def update_building(building: Building, *, by: Actor | None, **changes: Unpack[BuildingValues]) -> Building:
    """Change a building."""
    return crud.update(building, changes)


def delete_building(building: Building, *, by: Actor | None) -> None:
    """Delete a building without rooms; refused with `in_use` otherwise."""
    crud.delete(building)


def create_room(*, by: Actor | None, **values: Unpack[RoomValues]) -> Room:
    """Add a room to a building; refused with `code_taken`."""
    return crud.create(Room, values)


def update_room(room: Room, *, by: Actor | None, **changes: Unpack[RoomValues]) -> Room:
    """Change a room."""
    return crud.update(room, changes)


def delete_room(room: Room, *, by: Actor | None) -> None:
    """Delete a room nothing takes place in; refused with `in_use` otherwise."""
    crud.delete(room)
