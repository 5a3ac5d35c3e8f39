"""Regions, accounts and what a person has done to sign in."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from fpadmin.accounts.permissions import Permission, Role, role_has
from fpadmin.fields import BytewiseCharField
from fpadmin.scoping import RegionScopedQuerySet

# Digits of the national statistical code at each level; a group is its village's twelve plus two.
CODE_LENGTHS = {1: 2, 2: 4, 3: 6, 4: 9, 5: 12, 6: 14}


class RegionQuerySet(RegionScopedQuerySet):
    """Regions, seen by whoever stands at or above them."""

    region_path = "path"

    def valid_on(self, day):
        """In force on `day`; an unknown start counts as always."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_until__isnull=True) | Q(valid_until__gt=day),
        )

    def with_child_counts(self):
        """With `below`: how many regions stand directly below each."""
        return self.annotate(below=models.Count("children"))

    def children_of(self, region):
        """The regions directly below, in order of their codes."""
        return self.filter(parent=region).order_by("code")


class Region(models.Model):
    """One place of the national tree 省 市 县 乡 村 组."""

    class Level(models.IntegerChoices):
        PROVINCE = 1, "省"
        CITY = 2, "市"
        COUNTY = 3, "县"
        TOWNSHIP = 4, "乡"
        VILLAGE = 5, "村"
        GROUP = 6, "组"

    class UrbanRural(models.TextChoices):
        URBAN = "城镇", "城镇"
        RURAL = "乡村", "乡村"

    code = BytewiseCharField("区划代码", max_length=14, unique=True)
    name = models.CharField("名称", max_length=100)
    level = models.PositiveSmallIntegerField("级别", choices=Level)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    # The codes from the root down, each followed by a dot: 53.5399.539981.
    path = BytewiseCharField("路径", max_length=80, unique=True, editable=False)
    urban_rural = models.CharField(
        "城乡分类", max_length=2, choices=UrbanRural, blank=True, default=""
    )
    valid_from = models.DateField("启用日期", null=True, blank=True)
    valid_until = models.DateField("停用日期", null=True, blank=True)
    # Rises with every edit; a form that was opened on an older one shows both versions.
    row_version = models.PositiveIntegerField(default=0)

    objects = RegionQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id",
            "code",
            "name",
            "level",
            "parent",
            "path",
            "urban_rural",
            "valid_from",
            "valid_until",
            "row_version",
        )

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        ordering = ["path"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=6), name="%(app_label)s_%(class)s_level_known"
            ),
            models.CheckConstraint(
                condition=Q(level=1) | Q(parent__isnull=False),
                name="%(app_label)s_%(class)s_has_parent_below_province",
                violation_error_message="省以下的区划必须有上级。",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gt=models.F("valid_from")),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="停用日期必须晚于启用日期。",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("accounts:region-detail", args=[self.code])


class UserManager(BaseUserManager):
    """The manager that Django asks for; makes nobody: accounts come from services.create_account."""

    def get_queryset(self):
        """With the region, which every request needs to know its scope."""
        return super().get_queryset().select_related("region")

    def get_by_natural_key(self, username):
        return self.get(username=username)


class UserQuerySet(RegionScopedQuerySet):
    """Accounts, seen by administrators of their region or above."""

    region_path = "region__path"

    def in_state(self, state: str, now):
        """Accounts that are active (may sign in), disabled, locked or temporary at `now`."""
        locked = Q(locked_until__gt=now)
        if state == "disabled":
            return self.filter(is_active=False)
        active = self.filter(is_active=True)
        if state == "locked":
            return active.filter(locked)
        if state == "temporary":
            return active.exclude(locked).filter(must_change_password=True)
        return active.exclude(locked).filter(must_change_password=False)


class User(AbstractBaseUser):
    """One person's account: one role in one region. Superusers and groups don't exist here."""

    username = models.CharField(
        "登录名", max_length=50, unique=True, error_messages={"unique": "这个登录名已有人使用。"}
    )
    name = models.CharField("姓名", max_length=50)
    role = models.CharField("角色", max_length=30, choices=Role)
    region = models.ForeignKey(
        Region, models.PROTECT, verbose_name="所属区划", related_name="users"
    )
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("须修改密码", default=True)
    password_changed_at = models.DateTimeField("密码修改时间", null=True, blank=True)
    failed_sign_ins = models.PositiveSmallIntegerField("连续登录失败次数", default=0)
    locked_until = models.DateTimeField("锁定至", null=True, blank=True)
    # Rises at sign-out, disabling, a password or role change: sessions of an older one end at once.
    session_version = models.PositiveIntegerField("会话版本", default=0)
    text_size = models.CharField(
        "字号",
        max_length=2,
        choices=[("", "标准"), ("a1", "大"), ("a2", "特大")],
        blank=True,
        default="",
    )
    high_contrast = models.BooleanField("高对比度", default=False)
    # Rises with every edit of name, place or role; see Region.
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)

    objects = UserManager.from_queryset(UserQuerySet)()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name", "role", "region"]

    class Personal:
        personal = ("username", "name", "password")
        other = (
            "id", "last_login", "role", "region", "is_active", "must_change_password",
            "password_changed_at", "failed_sign_ins", "locked_until", "session_version",
            "text_size", "high_contrast", "row_version", "created_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "账号"
        ordering = ["username"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="%(app_label)s_%(class)s_role_known"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def scope_path(self) -> str:
        """The path below which this account sees business records."""
        return self.region.path if self.is_active else ""

    def get_session_auth_hash(self):
        """Differs as soon as the password or session_version does: older sessions end at once."""
        secret = f"{self.session_version}:{self.password}"
        return salted_hmac("fpadmin.accounts.session", secret, algorithm="sha256").hexdigest()

    def may(self, permission: Permission) -> bool:
        return self.is_active and role_has(self.role, permission)


class ColumnChoice(models.Model):
    """The columns in which a person wants to read one list; kept here like text size and contrast."""

    user = models.ForeignKey(User, models.CASCADE, related_name="column_choices")
    list_key = models.CharField("列表", max_length=40)
    columns = models.JSONField("列", default=list)

    class Personal:
        personal = ()
        other = ("id", "user", "list_key", "columns")

    class Meta:
        verbose_name = verbose_name_plural = "列设置"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "list_key"], name="%(app_label)s_%(class)s_one_per_list"
            ),
        ]


class PasswordHistory(models.Model):
    """A hash that an account used before; the last five may not come back."""

    user = models.ForeignKey(User, models.CASCADE, related_name="old_passwords")
    password = models.CharField(max_length=128)
    used_until = models.DateTimeField(auto_now_add=True)

    class Personal:
        personal = ("password",)
        other = ("id", "user", "used_until")

    class Meta:
        verbose_name = verbose_name_plural = "历史密码"


class SignInAttempt(models.Model):
    """A failed sign-in by address, for the throttle; the name is kept only as a digest."""

    address = models.GenericIPAddressField("来源地址")
    username_digest = models.CharField(max_length=43)
    at = models.DateTimeField(auto_now_add=True)

    class Personal:
        personal = ("address",)
        other = ("id", "username_digest", "at")

    class Meta:
        verbose_name = verbose_name_plural = "登录失败"
        indexes = [
            models.Index(fields=["address", "at"])
        ]  # failures of one address in the last minutes
