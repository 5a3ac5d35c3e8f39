"""The registry agrees with itself: states with spells, places with households, digests with numbers."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from fpadmin.accounts.models import Region
from fpadmin.crypto import DecryptionFailed, EncryptedCharField, decrypt, digest
from fpadmin.invariants import register
from fpadmin.reporting.registry import Span
from households.indicators import compute_population
from households.models import ChildRecord, Household, Relation, Residency, Resident

STATE = ("household", "village", "relation", "residence", "hukou", "hukou_region_code")
BATCH = 5_000


def states_off_spell(now: datetime) -> Iterator[str]:
    """Residents on the books whose current state isn't that of their one open spell."""
    same = Residency.objects.filter(
        resident=OuterRef("pk"), ended_on__isnull=True, **{name: OuterRef(name) for name in STATE}
    )
    for pk in _keys(Resident.objects.filter(~Exists(same), departed_on__isnull=True)):
        yield f"居民{pk}的现状与在册经历不一致"


def departed_with_spell(now: datetime) -> Iterator[str]:
    """Residents who have departed and still have an open spell, or one that ends later."""
    later = Q(residencies__ended_on__isnull=True) | Q(residencies__ended_on__gt=F("departed_on"))
    gone = Resident.objects.filter(departed_on__isnull=False, residencies__isnull=False)
    for pk in _keys(gone.filter(later).distinct()):
        yield f"居民{pk}已离册，在册经历却没有结束"


def overlapping_spells(now: datetime) -> Iterator[str]:
    """Spells of one person that hold on the same day: they would count the person twice."""
    later = "resident__residencies__"
    overlapping = Residency.objects.filter(
        Q(ended_on__isnull=True)
        | Q(**{f"{later}started_on__isnull": True})
        | Q(ended_on__gt=F(f"{later}started_on")),
        Q(**{f"{later}ended_on__isnull": True})
        | Q(started_on__isnull=True)
        | Q(**{f"{later}ended_on__gt": F("started_on")}),
        pk__lt=F(f"{later}pk"),
    )
    for pk in overlapping.order_by("resident").values_list("resident", flat=True).distinct():
        yield f"居民{pk}的在册经历有重叠"


def double_heads(now: datetime) -> Iterator[str]:
    """Households with two living heads."""
    day = timezone.localdate(now)
    heads = Resident.objects.registered_on(day).filter(relation=Relation.HEAD).values("household")
    for pk in (
        heads.annotate(n=Count("pk"))
        .filter(n__gt=1)
        .order_by("household")
        .values_list("household", flat=True)
    ):
        yield f"家庭{pk}有两位在世的户主"


def misplaced(now: datetime) -> Iterator[str]:
    """People, spells and groups that stand in another village than their household."""
    for pk in _keys(Resident.objects.exclude(village=F("household__village"))):
        yield f"居民{pk}所在的村与家庭的村不同"
    # Past spells keep the village they were in, also after villages were merged.
    spells = Residency.objects.filter(ended_on__isnull=True)
    for pk in _keys(spells.exclude(village=F("household__village"))):
        yield f"在册经历{pk}的村与家庭的村不同"
    strangers = Household.objects.filter(group__isnull=False)
    for pk in _keys(strangers.exclude(group__parent=F("village"))):
        yield f"家庭{pk}的小组不属于本村"


def crossed_links(now: datetime) -> Iterator[str]:
    """Relatives whose stored number isn't that of the person the link opens."""
    links = [(Resident, name) for name in ("spouse", "father", "mother")]
    links += [(ChildRecord, name) for name in ("mother", "father", "child")]
    for model, name in links:
        number = Coalesce(F(f"{name}__id_number_digest"), models.Value(""))
        crossed = model.objects.filter(**{f"{name}__isnull": False}).annotate(number=number)
        for pk in _keys(crossed.exclude(number=F(f"{name}_id_number_digest"))):
            yield f"{model._meta.verbose_name}{pk}的{name}关联与号码不符"


def wrong_digests(now: datetime) -> Iterator[str]:
    """Encrypted values that don't open, or whose digest is another value's."""
    for model in (Resident, ChildRecord):
        fields = [f for f in model._meta.concrete_fields if isinstance(f, EncryptedCharField)]
        columns = [name for f in fields for name in (f.column, f"{f.column}_digest")]
        for pk, *values in _raw_rows(model, columns):
            for field, stored, known in zip(fields, values[::2], values[1::2], strict=True):
                fault = _digest_fault(stored, known, field.context())
                if fault:
                    yield f"{model._meta.verbose_name}{pk}的{field.verbose_name}{fault}"


def unequal_sums(now: datetime) -> Iterator[str]:
    """Townships whose population, as returns state it by village, isn't what their spells count."""
    day = timezone.localdate(now)
    villages = list(Region.objects.filter(level=Region.Level.VILLAGE).select_related("parent"))
    figures = compute_population(villages, Span(day, day), ("population",))
    sums: dict[Region, int] = {}
    for village in villages:
        here = figures[village.code]["population"]
        sums[village.parent] = sums.get(village.parent, 0) + here
    counted = dict(
        Residency.objects.living_on(day)
        .values_list("village__parent")
        .annotate(n=Count("resident", distinct=True))
    )
    for township, total in sums.items():
        if total != counted.get(township.pk, 0):
            yield f"{township.name}各村人口之和{total}，实有{counted.get(township.pk, 0)}"


def _keys(queryset) -> Iterable[int]:
    return queryset.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH)


def _raw_rows(model: type[models.Model], columns: list[str]) -> Iterator[tuple]:
    """(pk, *columns) as the database holds them, in batches by key so that memory stays flat."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = (
        f'SELECT id, {names} FROM "{model._meta.db_table}" WHERE id > %s ORDER BY id LIMIT {BATCH}'
    )
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [last])
            rows = cursor.fetchall()
        if not rows:
            return
        yield from rows
        last = rows[-1][0]


def _digest_fault(stored: str, known: str | None, context: str) -> str:
    """What is wrong with a sealed value and its digest; "" where nothing is."""
    try:
        plain = decrypt(stored, context=context)
    except (DecryptionFailed, ValueError):
        return "不能解密"
    return "" if digest(plain) == (known or "") else "与摘要不符"


def load() -> None:
    """Register what must hold of the registry. Called once, by ready()."""
    register("REG1", "居民现状等于在册经历的最后一段", states_off_spell)
    register("REG2", "同一人的在册经历互不重叠", overlapping_spells)
    register("REG3", "每户至多一位在世户主", double_heads)
    register("REG4", "居民、在册经历、小组与家庭同村", misplaced)
    register("REG5", "亲属关联与号码相符", crossed_links)
    register("REG6", "加密的号码都能解开，摘要相符", wrong_digests)
    register("REG8", "离册的人没有未结束的在册经历", departed_with_spell)
    register("REG7", "各村人口之和等于乡镇人口", unequal_sums)
