"""The registry agrees with itself: states with spells, places with households, digests with numbers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from fpadmin.accounts.models import Region
from fpadmin.crypto import DecryptionFailed, EncryptedCharField, decrypt, digest
from fpadmin.invariants import Finding, register
from fpadmin.reporting.registry import Span
from households.identifiers import LINKS
from households.indicators import compute_population
from households.models import (
    ChildRecord,
    EventKind,
    Household,
    LifeEvent,
    Merge,
    Relation,
    Residency,
    Resident,
)

RESIDENT, HOUSEHOLD = Resident._meta.label_lower, Household._meta.label_lower
BIRTH = ChildRecord._meta.label_lower
RELATIVES = [(model, name) for model, names in LINKS for name in names]
# A birth history stands where the mother lives, or the father where no mother is here.
_PATHS = {
    Resident: F("village__path"),
    ChildRecord: Coalesce("mother__village__path", "father__village__path"),
}
STATE = ("household", "village", "relation", "residence", "hukou", "hukou_region_code")
BATCH = 5_000


def states_off_spell(now: datetime) -> Iterator[Finding]:
    """Residents on the books whose current state isn't that of their one open spell."""
    same = Residency.objects.filter(
        resident=OuterRef("pk"), ended_on__isnull=True, **{name: OuterRef(name) for name in STATE}
    )
    off = Resident.objects.filter(~Exists(same), departed_on__isnull=True)
    yield from _residents(off, "居民{pk}的现状与在册经历不一致")


def departed_with_spell(now: datetime) -> Iterator[Finding]:
    """Residents who have departed and still have an open spell, or one that ends later."""
    later = Q(residencies__ended_on__isnull=True) | Q(residencies__ended_on__gt=F("departed_on"))
    gone = Resident.objects.filter(departed_on__isnull=False, residencies__isnull=False)
    yield from _residents(gone.filter(later).distinct(), "居民{pk}已离册，在册经历却没有结束")


def overlapping_spells(now: datetime) -> Iterator[Finding]:
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
    people = Resident.objects.filter(pk__in=overlapping.order_by().values("resident"))
    yield from _residents(people, "居民{pk}的在册经历有重叠")


def double_heads(now: datetime) -> Iterator[Finding]:
    """Households with two living heads."""
    heads = _living_heads(now).values("household").annotate(n=Count("pk")).filter(n__gt=1)
    homes = Household.objects.filter(pk__in=heads.order_by().values("household"))
    yield from _households(homes, "家庭{pk}有两位在世的户主")


def missing_heads(now: datetime) -> Iterator[Finding]:
    """Households with living members and no living head."""
    day = timezone.localdate(now)
    members = Resident.objects.registered_on(day).filter(household=OuterRef("pk"))
    heads = _living_heads(now).filter(household=OuterRef("pk"))
    homes = Household.objects.filter(Exists(members), ~Exists(heads))
    yield from _households(homes, "家庭{pk}有成员，没有户主")


def misplaced(now: datetime) -> Iterator[Finding]:
    """People, spells and groups that stand in another village than their household."""
    strangers = Resident.objects.exclude(village=F("household__village"))
    yield from _residents(strangers, "居民{pk}所在的村与家庭的村不同")
    # Past spells keep the village they were in, also after villages were merged.
    spells = Residency.objects.filter(ended_on__isnull=True)
    for pk, resident, path in _rows(
        spells.exclude(village=F("household__village")), "resident", "resident__village__path"
    ):
        yield Finding(f"在册经历{pk}的村与家庭的村不同", RESIDENT, resident, path)
    grouped = Household.objects.filter(group__isnull=False)
    yield from _households(grouped.exclude(group__parent=F("village")), "家庭{pk}的小组不属于本村")


def crossed_links(now: datetime) -> Iterator[Finding]:
    """Relatives whose stored number isn't that of the person the link opens."""
    for model, name in RELATIVES:
        number = Coalesce(F(f"{name}__id_number_digest"), models.Value(""))
        crossed = model.objects.filter(**{f"{name}__isnull": False}).annotate(number=number)
        yield from _links(
            model, name, crossed.exclude(number=F(f"{name}_id_number_digest")), "与号码不符"
        )


def events_taken_back(now: datetime) -> Iterator[Finding]:
    """Spells that an event began or ended which was taken back."""
    undone = Q(opened_by__undone_by__isnull=False) | Q(closed_by__undone_by__isnull=False)
    people = Resident.objects.filter(
        pk__in=Residency.objects.filter(undone).order_by().values("resident")
    )
    yield from _residents(people, "居民{pk}的在册经历还带着已撤销的变动")


def undone_twice(now: datetime) -> Iterator[Finding]:
    """The taking back of an event, itself taken back."""
    again = LifeEvent.objects.filter(undoes__kind=EventKind.UNDO)
    for pk, path in _rows(again, "village__path"):
        yield Finding(f"变动{pk}撤销的是一次撤销", LifeEvent._meta.label_lower, pk, path)


def merged_in_use(now: datetime) -> Iterator[Finding]:
    """Merged records that still count, hold a number, or are somebody's relative."""
    merged = Resident.objects.filter(merged_into__isnull=False)
    counted = merged.filter(Exists(Residency.objects.filter(resident=OuterRef("pk"))))
    yield from _residents(counted, "居民{pk}已并入别的记录，却还有在册经历")
    numbered = merged.filter(id_number_digest__isnull=False)
    yield from _residents(numbered, "居民{pk}已并入别的记录，却还有公民身份号码")
    told = Merge.objects.standing().filter(merged=OuterRef("pk"), kept=OuterRef("merged_into"))
    yield from _residents(merged.filter(~Exists(told)), "居民{pk}并入了别的记录，却没有合并记录")
    for model, name in RELATIVES:
        found = model.objects.filter(**{f"{name}__merged_into__isnull": False})
        yield from _links(model, name, found, "指向已并入的记录")


def wrong_digests(now: datetime) -> Iterator[Finding]:
    """Encrypted values that don't open, or whose digest is another value's."""
    for model in (Resident, ChildRecord):
        faults = _faults(model)
        while some := list(islice(faults, BATCH)):
            records = model.objects.filter(pk__in={pk for pk, _ in some})
            paths = dict(records.values_list("pk", _PATHS[model]))
            for pk, text in some:
                yield Finding(text, model._meta.label_lower, pk, paths.get(pk))


def unequal_sums(now: datetime) -> Iterator[Finding]:
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
            text = f"{township.name}各村人口之和{total}，实有{counted.get(township.pk, 0)}"
            yield Finding(text, region_path=township.path)


def _living_heads(now: datetime):
    heads = Resident.objects.registered_on(timezone.localdate(now))
    return heads.filter(relation=Relation.HEAD)


def _rows(queryset, *names: str) -> Iterable[tuple]:
    return queryset.order_by("pk").values_list("pk", *names).iterator(chunk_size=BATCH)


def _residents(people, words: str) -> Iterator[Finding]:
    for pk, path in _rows(people, "village__path"):
        yield Finding(words.format(pk=pk), RESIDENT, pk, path)


def _households(homes, words: str) -> Iterator[Finding]:
    for pk, path in _rows(homes, "village__path"):
        yield Finding(words.format(pk=pk), HOUSEHOLD, pk, path)


def _links(model: type[models.Model], name: str, records, fault: str) -> Iterator[Finding]:
    word = model._meta.get_field(name).verbose_name
    for pk, path in _rows(records.annotate(_path=_PATHS[model]), "_path"):
        text = f"{model._meta.verbose_name}{pk}的{word}关联{fault}"
        yield Finding(text, model._meta.label_lower, pk, path)


def _faults(model: type[models.Model]) -> Iterator[tuple[int, str]]:
    """(key, what is wrong) of every sealed value of the table that is wrong."""
    fields = [f for f in model._meta.concrete_fields if isinstance(f, EncryptedCharField)]
    columns = [name for f in fields for name in (f.column, f"{f.column}_digest")]
    for pk, *values in _raw_rows(model, columns):
        for field, stored, known in zip(fields, values[::2], values[1::2], strict=True):
            fault = _digest_fault(stored, known, field.context())
            if fault:
                yield pk, f"{model._meta.verbose_name}{pk}的{field.verbose_name}{fault}"


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
    person = {RESIDENT: "households:resident-detail"}
    home = {HOUSEHOLD: "households:household-detail"}
    edit = {
        RESIDENT: "households:resident-edit",
        BIRTH: "households:birth-edit",
        HOUSEHOLD: "households:household-edit",
    }
    register(
        "REG1",
        "居民现状等于在册经历的最后一段",
        states_off_spell,
        pages=edit,
        advice="核对家庭、关系、户口和居住情况，改正后选“更正登记错误”保存。",
    )
    register(
        "REG2",
        "同一人的在册经历互不重叠",
        overlapping_spells,
        pages=person,
        advice="看在册经历哪一段不对，撤销造成它的变动；没有变动可撤的，请联系技术支持。",
    )
    register(
        "REG3",
        "每户至多一位在世户主",
        double_heads,
        pages=home,
        advice="用“变更户主”定下一位户主。",
    )
    register(
        "REG4",
        "居民、在册经历、小组与家庭同村",
        misplaced,
        pages=edit,
        advice="核对家庭和小组，选本村的再保存。",
    )
    register(
        "REG5",
        "亲属关联与号码相符",
        crossed_links,
        pages=edit,
        advice="核对亲属的公民身份号码，重新填写后保存。",
    )
    register(
        "REG6",
        "加密的号码都能解开，摘要相符",
        wrong_digests,
        pages=edit,
        advice="对照证件重新填写这个号码；不能解密的，先请系统管理员查看密钥。",
    )
    register(
        "REG7",
        "各村人口之和等于乡镇人口",
        unequal_sums,
        advice="先改正本镇其他几项，仍不相等的，请联系技术支持。",
    )
    register(
        "REG8",
        "离册的人没有未结束的在册经历",
        departed_with_spell,
        pages=person,
        advice="撤销后重新登记让他离册的变动。",
    )
    register(
        "REG9",
        "在册经历不带已撤销的变动",
        events_taken_back,
        pages=person,
        advice="核对在册经历，按实际情况重新登记变动。",
    )
    register(
        "REG10",
        "撤销不能再撤销",
        undone_twice,
        pages={LifeEvent._meta.label_lower: "households:event-detail"},
        advice="按实际情况重新登记变动。",
    )
    register(
        "REG11",
        "已并入的记录不再使用",
        merged_in_use,
        pages=edit,
        advice="把亲属改为保留的那份记录；仍提示的，请联系技术支持。",
    )
    register(
        "REG12", "有成员的家庭有户主", missing_heads, pages=home, warning=True,
        advice="用“变更户主”给这户选一位户主。",
    )  # fmt: skip
