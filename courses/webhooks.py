"""What programs can be told of sections."""

from courses.events import SectionCancelled
from courses.models import Section
from notifications.offers import Offer
from notifications.services import offer_events

offer_events(
    Offer(
        event=SectionCancelled, label="A section is cancelled", permission="courses.view_section", model=Section,
        key="section_id", says=("section_id", "happened_at"),
    ),
)  # fmt: skip
