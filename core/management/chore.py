"""What the commands of the recurring chores share: the same as their tasks do, by hand."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from core.chores import carry_out


class ChoreCommand(BaseCommand, ABC):
    """Do one chore and say how many rows it dealt with."""

    chore: ClassVar[str]
    done: ClassVar[str]  # with {count}

    @abstractmethod
    def work(self, **options: Any) -> int:
        """Do it and return how many rows were dealt with."""

    def handle(self, *args: Any, **options: Any) -> None:
        count = carry_out(self.chore, lambda: self.work(**options))
        self.stdout.write("Another run is at it." if count is None else self.done.format(count=count))
