"""What changes the topics that are offered in a cycle."""

from collections.abc import Collection
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import QuerySet

from core import crud
from core.db.constraints import refusal
from core.db.locks import share_rows
from core.errors import ConflictError
from core.visibility import Actor
from faculty.models import Faculty
from projects.models import CyclePhase, ProjectCycle, Topic
from projects.services.cycles import hold_cycle, is_allocated, require_no_part, require_phase, require_unpublished

# Until students have said what they prefer.
OFFERED_IN = (CyclePhase.TOPICS, CyclePhase.PREFERENCES)
# By what nothing is decided any more, once topics are allocated: somebody takes one more, or fewer.
LATER = {"places"}


class TopicValues(TypedDict, total=False):
    title_local: str
    title_en: str
    description: str
    places: int
    is_offered: bool


class NewTopicValues(TopicValues, total=False):
    cycle: ProjectCycle
    supervisor: Faculty


class TopicFullError(ConflictError):
    """The topic has as many students as it is for."""

    code = "topic_full"
    title = "The topic has no place left."


refusal("projects_topic_not_exceeded", TopicFullError)


@transaction.atomic
def offer_topic(*, by: Actor | None, at: datetime, **values: Unpack[NewTopicValues]) -> Topic:
    """Offer a topic in a cycle.

    Refused with `phase_not_open` before topics open and once preferences are closed, and with `self_approval` to
    whoever wants a topic of the cycle or does a project of it.
    """
    topic = crud.create(Topic, values)
    require_no_part(by, topic.cycle)
    _require_open(topic, at=at)
    return topic


@transaction.atomic
def update_topic(topic: Topic, *, by: Actor | None, at: datetime, **changes: Unpack[TopicValues]) -> Topic:
    """Change a topic, or offer it no more.

    Refused with `phase_not_open` once preferences are closed, but for its places, which change again while projects are
    done, once an allocation is published; with `topic_full` below those that are taken; and as an offer is.
    """
    require_no_part(by, topic.cycle)
    _require_open(topic, {name for name, value in changes.items() if getattr(topic, name) != value}, at=at)
    return crud.update(topic, changes)


@transaction.atomic
def delete_topic(topic: Topic, *, by: Actor | None, at: datetime) -> None:
    """Delete a topic; refused as a change is, and with `in_use` once somebody prefers it."""
    require_no_part(by, topic.cycle)
    _require_open(topic, at=at)
    crud.delete(topic)


def hold_cycles_of(topics: QuerySet[Topic]) -> None:
    """Let nobody allocate these topics before this transaction ends: who does locks cycles first, and topics then."""
    share_rows(ProjectCycle, topics.values_list("cycle", flat=True))


def _require_open(topic: Topic, changed: Collection[str] = (), *, at: datetime) -> None:
    cycle = hold_cycle(topic.cycle)
    if changed and set(changed) <= LATER and is_allocated(cycle):
        require_phase(cycle, CyclePhase.WORK, at=at)
        return
    require_phase(cycle, *OFFERED_IN, at=at)
    require_unpublished(cycle)
