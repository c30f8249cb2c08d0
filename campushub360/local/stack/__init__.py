"""`make stack`: on this machine, without containers, what docker-compose.yml describes.

The configuration is the containers': the files that compose mounts, and the environments and commands that it gives its
services. What differs is where each of them listens (`addresses`), and that the settings are those of a person's own
machine: demo accounts, wide limits, mails in the worker's log. Everything lies in `.campus/stack`.
"""

from campushub360.local import HOME

STACK = HOME / "stack"
"""Where the stack of this checkout keeps its state."""


class StackError(Exception):
    """The stack cannot run; the message says why and what to do."""
