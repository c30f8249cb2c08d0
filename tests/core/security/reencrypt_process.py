"""`python -m tests.core.security.reencrypt_process RING [ARGUMENTS]`: `manage.py reencrypt` with a ring of its own."""

import sys

import django

if __name__ == "__main__":
    django.setup()

    from django.conf import settings
    from django.core.management import call_command

    from core.security.keys import read_key_ring

    settings.ENCRYPTION_KEYS = read_key_ring(sys.argv[1])
    call_command("reencrypt", *sys.argv[2:])
