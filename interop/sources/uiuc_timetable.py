"""Who meets where at the same time in a UIUC catalogue: together, or in each other's way."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SAME_AS = re.compile(r"Same as ([^.]*)\.")
# A file that tells parts of the term apart has a column of this name as well.
PART = "Part of Term"
COURSE = re.compile(r"([A-Z]{2,4}) ([0-9]{3})", re.ASCII)


@dataclass(slots=True)
class CatalogueSection:
    """One CRN, and the meetings its rows give."""

    row_no: int
    raw: Mapping[str, str]
    key: str
    code: str
    meetings: list["Slot"] = field(default_factory=list)


@dataclass(slots=True)
class Slot:
    """One weekly meeting of one section, as a row gives it."""

    section: CatalogueSection
    row_no: int
    raw: Mapping[str, str]
    weekday: int
    starts: str
    ends: str
    room: str

    @property
    def place(self) -> tuple[str, int]:
        return self.room, self.weekday

    def overlaps(self, other: "Slot") -> bool:
        return self.starts < other.ends and other.starts < self.ends


def course_code(raw: Mapping[str, str]) -> str:
    return f"{raw['Subject']} {raw['Number']}"


def _same_courses(raw: Mapping[str, str]) -> set[str]:
    """Return the course and those that its description calls the same."""
    named = {" ".join(found) for text in SAME_AS.findall(raw["Description"]) for found in COURSE.findall(text)}
    return {course_code(raw), *named}


def _part(slot: Slot) -> str:
    """Return the part of the term in which a section takes place, where a file says."""
    return slot.section.raw.get(PART, "")


def _are_one(first: Slot, second: Slot) -> bool:
    """Say whether two meetings at one place and time are the same meeting."""
    if _part(first) != _part(second):
        return False
    return bool(_same_courses(first.section.raw) & _same_courses(second.section.raw))


def combined(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Group meetings that are one: in one room, at one time, of one course or of courses listed as the same."""
    groups: list[list[Slot]] = []
    at: defaultdict[tuple[Any, ...], list[list[Slot]]] = defaultdict(list)
    for slot in slots:
        there = at[(*slot.place, slot.starts, slot.ends)]
        group = next((g for g in there if slot.room and any(_are_one(slot, other) for other in g)), None)
        if group is None:
            group = []
            groups.append(group)
            there.append(group)
        group.append(slot)
    return groups


def clashes(groups: Sequence[Sequence[Slot]]) -> dict[int, str]:
    """Return, by place in the list, whom a meeting shares its room with without belonging together."""
    at: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        if group[0].room:
            at[group[0].place].append(number)
    found: dict[int, str] = {}
    for numbers in at.values():
        for number in numbers:
            others = [other for other in numbers if other != number and groups[number][0].overlaps(groups[other][0])]
            if others:
                names = ", ".join(_described(groups[number][0], groups[other][0]) for other in others)
                found[number] = f"In the room at the same time: {names}."[:1000]
    return found


def _described(slot: Slot, other: Slot) -> str:
    own, theirs = _part(slot), _part(other)
    name = f"{course_code(other.section.raw)} {other.section.code}"
    return name if own == theirs else f"{name} (part of term {theirs or '1'}, not {own or '1'})"
