"""A township of Zibo, whose average wages come with the product."""

import pytest

from tests.factories.accounts import make_region, make_user


@pytest.fixture
def zibo(db):
    """城西村 of 城西街道 in 博山区, 淄博."""
    for code, name in (
        ("37", "山东省"), ("3703", "淄博市"), ("370304", "博山区"), ("370304001", "城西街道"),
    ):  # fmt: skip
        make_region(code, name)
    return make_region("370304001201", "城西村")


@pytest.fixture
def zibo_clerk(zibo):
    return make_user("clerk", zibo.parent, "zibo-clerk")


@pytest.fixture
def zibo_county(zibo):
    return make_user("county", zibo.parent.parent, "zibo-county")
