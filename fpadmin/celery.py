"""The Celery application. The schedule of periodic jobs stands here, in code."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fpadmin.settings")

app = Celery("fpadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
