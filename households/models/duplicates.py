"""Two records that may be one person, and records that were merged."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet, below
from households.models.people import Resident

_LINKS = ("village", "household", "household__group")
_LISTED = (
    "name", "sex", "birth_date", "departed_on", "village__name", "household__number",
    "household__group__name",
)  # fmt: skip


class DuplicateQuerySet(RegionScopedQuerySet):
    """Pairs, seen by whoever sees both people."""

    def visible_to(self, user):
        path = getattr(user, "scope_path", "")
        if not path:
            return self.none()
        return self.filter(
            below(path, "first__village__path"), below(path, "second__village__path")
        )

    def waiting(self):
        """Not looked at by a person yet."""
        return self.filter(
            state=Duplicate.State.OPEN,
            first__departed_on__isnull=True,
            second__departed_on__isnull=True,
        )

    def for_list(self):
        """With both people's names and places, and nothing that must be decrypted."""
        people = [f"{one}__{name}" for one in ("first", "second") for name in _LISTED]
        links = [f"{one}__{link}" for one in ("first", "second") for link in _LINKS]
        return self.select_related(*links).only(
            "reason", "state", "found_at", "decided_at", *people
        )

    def for_page(self):
        """With both people, their places and their relatives."""
        links = (*_LINKS, "spouse", "father", "mother")
        return self.select_related(
            *(f"{one}__{link}" for one in ("first", "second") for link in links)
        )


class Duplicate(models.Model):
    """A pair of residents that look like one; the lower key first, so that a pair stands once."""

    class State(models.TextChoices):
        OPEN = "open", "待核对"
        DIFFERENT = "different", "不是同一人"
        MERGED = "merged", "已合并"

    first = models.ForeignKey(Resident, models.CASCADE, related_name="+")
    second = models.ForeignKey(Resident, models.CASCADE, related_name="+")
    reason = models.CharField("相同之处", max_length=60)
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    found_at = models.DateTimeField("发现时间", auto_now_add=True)
    decided_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = DuplicateQuerySet.as_manager()

    class Personal:
        personal = ("first", "second", "reason")
        other = ("id", "state", "found_at", "decided_by", "decided_at")

    class Meta:
        verbose_name = verbose_name_plural = "疑似重复"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], name="%(app_label)s_%(class)s_one_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="%(app_label)s_%(class)s_lower_key_first"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "different", "merged"]),
                name="%(app_label)s_%(class)s_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state="open"), name="households_duplicate_open"
            )  # the queue
        ]

    def __str__(self):
        return f"{self.pk}号疑似重复"

    def get_absolute_url(self):
        return reverse("households:duplicate-detail", args=[self.pk])


class MergeQuerySet(RegionScopedQuerySet):
    """Merges, seen by whoever sees the person that was kept."""

    region_path = "kept__village__path"

    def standing(self):
        """Not taken back."""
        return self.filter(undone_at__isnull=True)

    def for_page(self):
        """With both people, their places, and who did it."""
        people = [f"{one}__{link}" for one in ("kept", "merged") for link in _LINKS]
        return self.select_related("made_by", "undone_by", *people)


class Merge(models.Model):
    """Two records made one: everything that moved, so that it can be taken back for thirty days."""

    kept = models.ForeignKey(Resident, models.PROTECT, related_name="merges")
    merged = models.ForeignKey(Resident, models.PROTECT, related_name="+")
    # JSON: the fields of both before, the spells taken out, and the keys of the rows that moved.
    before = EncryptedCharField("合并前")
    made_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    made_at = models.DateTimeField("合并时间", auto_now_add=True)
    undone_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)

    objects = MergeQuerySet.as_manager()

    class Personal:
        personal = ("kept", "merged", "before")
        other = ("id", "made_by", "made_at", "undone_by", "undone_at")

    class Meta:
        verbose_name = verbose_name_plural = "合并记录"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=Q(undone_at__isnull=True),
                name="%(app_label)s_%(class)s_merged_once",
            ),
            models.CheckConstraint(
                condition=~Q(kept=F("merged")), name="%(app_label)s_%(class)s_two_people"
            ),
            models.CheckConstraint(
                condition=Q(undone_by__isnull=True, undone_at__isnull=True)
                | Q(undone_by__isnull=False, undone_at__isnull=False),
                name="%(app_label)s_%(class)s_undone_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.pk}号合并"

    def get_absolute_url(self):
        return reverse("households:merge-detail", args=[self.pk])
