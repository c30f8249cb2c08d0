"""Departments, places and programs as places that records go to."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, ClassVar
from uuid import UUID

from core.models import VersionedModel
from departments.models import Building, Campus, Department, Program, Room
from departments.services import bulk
from interop.sources.records import decompose
from interop.targets.base import Target, settle_created, settle_updated
from interop.targets.items import Item
from interop.targets.values import Value


class StructureTarget(Target):
    """A resource of the departments app: one table, no history."""

    model: ClassVar[type[VersionedModel]]

    def create(self, items: Sequence[Item]) -> None:
        rows = [self.columns(item.new_values) for item in items]
        settle_created(items, bulk.create_many(model=self.model, rows=rows, by=self.by))

    def update(self, items: Sequence[Item]) -> None:
        changes = [(item.row, self.columns(item.changed_values)) for item in items]
        settle_updated(items, bulk.update_many(changes=changes, by=self.by))

    def keep(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return bulk.keep_many(model=self.model, ids=ids)

    def restore(self, kept: Sequence[Any]) -> None:
        bulk.restore_many(kept=kept)

    def remove(self, ids: Collection[UUID]) -> None:
        bulk.remove_many(model=self.model, ids=ids)


class Departments(StructureTarget):
    resource = "departments"
    model = Department
    key_paths = ("code",)
    values = (
        Value("code"),
        Value("name"),
        Value("kind"),
        Value("parent", "ref", to="departments"),
        Value("is_active", "boolean"),
    )


class Campuses(StructureTarget):
    resource = "campuses"
    model = Campus
    key_paths = ("code",)
    values = (Value("code"), Value("name"), Value("time_zone"), Value("is_active", "boolean"))


class Buildings(StructureTarget):
    resource = "buildings"
    model = Building
    key_paths = ("campus__code", "code")
    values = (Value("campus", "ref", to="campuses"), Value("code"), Value("name"))


class Rooms(StructureTarget):
    resource = "rooms"
    model = Room
    key_paths = ("building__campus__code", "building__code", "code")
    values = (
        Value("building", "ref", to="buildings"),
        Value("code"),
        Value("name"),
        Value("capacity", "integer"),
        Value("exam_capacity", "integer"),
        Value("kind"),
    )

    def ids_by_key(self, keys: Collection[str]) -> dict[str, UUID]:
        """Return rooms by key; without a campus the building's code has to be the only one of its kind."""
        found = super().ids_by_key(keys)
        open_keys = {key: decompose(key)[1:] for key in keys if key not in found and decompose(key)[0] == ""}
        rooms = Room.objects.filter(
            building__code__in={parts[0] for parts in open_keys.values()}, code__in={p[-1] for p in open_keys.values()}
        )
        by_code: defaultdict[tuple[str, ...], list[UUID]] = defaultdict(list)
        for pk, building, code in rooms.values_list("pk", "building__code", "code"):
            by_code[building, code].append(pk)
        for key, parts in open_keys.items():
            if len(matching := by_code.get(tuple(parts), [])) == 1:
                found[key] = matching[0]
        return found


class Programs(StructureTarget):
    resource = "programs"
    model = Program
    key_paths = ("code",)
    values = (
        Value("code"),
        Value("name"),
        Value("level"),
        Value("department", "ref", to="departments"),
        Value("total_credits", "decimal"),
        Value("is_active", "boolean"),
    )
