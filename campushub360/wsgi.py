"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campushub360.settings.production")

behind = get_wsgi_application()

from core.api.precedents import PrecedentApplication  # noqa: E402 - only once Django is set up

application = PrecedentApplication(behind)
