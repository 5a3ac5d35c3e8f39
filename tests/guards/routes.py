"""Every named route of the product."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One URL pattern: its full name (`app:model-action`), its view and its arguments' names."""

    name: str
    view: Any
    arguments: tuple[str, ...]


def routes(patterns=None, namespace: str = "") -> Iterator[Route]:
    """The routes of the resolver, includes walked through. A route without a name has name ""."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name}" if pattern.name else ""
            yield Route(name, pattern.callback, tuple(pattern.pattern.converters))
