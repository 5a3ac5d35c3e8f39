"""Samples for the component gallery."""


def samples(request) -> dict:
    return {}
