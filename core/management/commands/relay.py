"""Run an outbox relay, or look after what relays have given up."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from core.relay import MAX_ATTEMPTS, POLL_SECONDS, Relay, revive


class Command(BaseCommand):
    """`manage.py relay` delivers until SIGTERM or Ctrl-C; the event at hand is finished first.

    Beside that it keeps the generations of the caches: without a relay nothing kept is used.
    """

    help = "Deliver outbox events to their subscribers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Deliver what is due now and exit.")
        parser.add_argument(
            "--retry-dead",
            nargs="?",
            const="",
            metavar="NAME",
            help="First let the events that were given up (those called NAME) be tried again.",
        )
        parser.add_argument("--max-attempts", type=int, default=MAX_ATTEMPTS, help="Give an event up after so many.")
        parser.add_argument(
            "--poll-seconds",
            type=float,
            default=POLL_SECONDS,
            help="Look at least so often, notified or not.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        relay = Relay(max_attempts=options["max_attempts"], poll_seconds=options["poll_seconds"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        if options["retry_dead"] is not None:
            self.stdout.write(f"{revive(name=options['retry_dead'])} events will be tried again.")
        if options["once"]:
            self.stdout.write(f"{relay.drain()} events delivered.")
        else:
            keeper = GenerationKeeper(generations())
            keeping = threading.Thread(target=keeper.run, name="generation-keeper")
            keeping.start()
            try:
                relay.run()
            finally:
                keeper.stop()
                keeping.join()
