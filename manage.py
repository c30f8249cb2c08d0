#!/usr/bin/env python
"""Run a management command against the servers the environment names, or against the checkout's own."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campushub360.settings.development")
    from campushub360.local.servers import ServersError, prepare_environment

    try:
        prepare_environment(sys.argv)
    except ServersError as error:
        sys.exit(f"manage.py: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
