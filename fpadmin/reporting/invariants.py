"""A return that was made is never changed."""

from collections.abc import Iterator
from datetime import datetime

from fpadmin.invariants import register
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.sheets import sha256_of


def changed_versions(now: datetime) -> Iterator[str]:
    """Versions whose figures aren't those they were made with, and numbers that were left out."""
    versions = ReturnVersion.objects.order_by("code", "region", "period", "version")
    previous = None
    for version in versions.iterator(chunk_size=100):
        if sha256_of(version.content) != version.sha256:
            yield f"报表版本{version.pk}的内容与摘要不符"
        key = (version.code, version.region_id, version.period)
        expected = previous[1] + 1 if previous and previous[0] == key else 1
        if version.version != expected:
            yield f"报表版本{version.pk}之前少了一版"
        previous = (key, version.version)


def load() -> None:
    """Register what must hold of returns. Called once, by ready()."""
    register("INV9", "已生成的报表没有被改动", changed_versions)
