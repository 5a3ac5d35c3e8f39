"""The project package and the platform: it knows no business app."""

from fpadmin.celery import app as celery_app

__all__ = ["celery_app"]
