"""What changes the topics that are offered in a cycle."""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from core import crud
from core.visibility import Actor
from faculty.models import Faculty
from projects.models import CyclePhase, ProjectCycle, Topic
from projects.services.cycles import require_phase

# Until students have said what they prefer.
OFFERED_IN = (CyclePhase.TOPICS, CyclePhase.PREFERENCES)


class TopicValues(TypedDict, total=False):
    title_local: str
    title_en: str
    description: str
    places: int
    is_offered: bool


class NewTopicValues(TopicValues, total=False):
    cycle: ProjectCycle
    supervisor: Faculty


@transaction.atomic
def offer_topic(*, by: Actor | None, at: datetime, **values: Unpack[NewTopicValues]) -> Topic:
    """Offer a topic in a cycle; refused with `phase_not_open` before topics open and once preferences are closed."""
    topic = crud.create(Topic, values)
    require_phase(topic.cycle, *OFFERED_IN, at=at)
    return topic


def update_topic(topic: Topic, *, by: Actor | None, at: datetime, **changes: Unpack[TopicValues]) -> Topic:
    """Change a topic, or offer it no more; refused with `phase_not_open` once preferences are closed."""
    require_phase(topic.cycle, *OFFERED_IN, at=at)
    return crud.update(topic, changes)


def delete_topic(topic: Topic, *, by: Actor | None, at: datetime) -> None:
    """Delete a topic; refused with `phase_not_open`, and with `in_use` once somebody prefers it."""
    require_phase(topic.cycle, *OFFERED_IN, at=at)
    crud.delete(topic)
