"""The test database: a file that other processes can open, and put back whole after a test that commits.

Django empties the tables after such a test. Here the database refuses that (audit events are
append-only), and what migrations put in would be lost. So the state after the migrations is kept,
and restored by the database's own means.
"""

import os
import sqlite3
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """On SQLite one file for each xdist worker; PostgreSQL gets its suffix from pytest-django."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        database["TEST"]["NAME"] = str(settings.VAR_DIR / f"test-{worker}-{os.getpid()}.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, django_db_modify_db_settings):
    """Keeps a copy of the migrated database beside it, for _restore()."""
    with django_db_blocker.unblock():
        pristine = _keep_copy()
    TransactionTestCase._fixture_teardown = lambda case: _restore(pristine)
    yield
    with django_db_blocker.unblock():
        _drop_copy(pristine)


@pytest.fixture(autouse=True)
def _fresh_connection(request):
    """A test that commits starts on a connection of its own: the last one's database was replaced."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        connections.close_all()


def database_url() -> str:
    """DATABASE_URL of the test database in use, for a process started by a test."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    host = values["HOST"].replace("/", "%2F")
    password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    port = f":{values['PORT']}" if values["PORT"] else ""
    return f"postgres://{values['USER']}{password}@{host}{port}/{values['NAME']}"


def _keep_copy() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        copy = f"{name}.pristine"
        _copy_file(name, copy)
        return copy
    copy = f"{name}_pristine"
    connection.close()
    _as_owner(f'DROP DATABASE IF EXISTS "{copy}"', f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    return copy


def _restore(pristine: str) -> None:
    name = connection.settings_dict["NAME"]
    connections.close_all()
    if connection.vendor == "sqlite":
        _copy_file(pristine, name)
    else:
        # FORCE: a live server's thread may still hold a connection.
        _as_owner(
            f'DROP DATABASE "{name}" WITH (FORCE)',
            f'CREATE DATABASE "{name}" TEMPLATE "{pristine}"',
        )


def _drop_copy(pristine: str) -> None:
    if connection.vendor == "sqlite":
        Path(pristine).unlink(missing_ok=True)
    else:
        _as_owner(f'DROP DATABASE "{pristine}"')


def _copy_file(source: str, target: str) -> None:
    """SQLite's own backup: whole pages in one transaction, whatever other connections do."""
    reading, writing = sqlite3.connect(source), sqlite3.connect(target, timeout=30)
    try:
        reading.backup(writing)
    finally:
        reading.close()
        writing.close()


def _as_owner(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
