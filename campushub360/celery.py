"""The Celery application. Its options are the `CELERY_*` settings; the reasons stand beside them there."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campushub360.settings.production")

app = Celery("campushub360")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
