"""What somebody is typing, and which forms were already submitted."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef

from fpadmin.crypto import EncryptedCharField

TOKEN_LENGTH = 43  # of secrets.token_urlsafe(32)


class DraftQuerySet(models.QuerySet):
    def visible_to(self, user) -> "DraftQuerySet":
        """One's own, made in the role and place one still has, of forms not submitted since."""
        return self.filter(user=user, role=user.role, region=user.region_id).exclude(_submitted())

    def stale(self, before) -> "DraftQuerySet":
        """Older than `before`, of an earlier role or place of the writer, or submitted since."""
        moved = ~models.Q(role=models.F("user__role")) | ~models.Q(region=models.F("user__region"))
        return self.filter(models.Q(updated_at__lt=before) | moved | _submitted())


class Draft(models.Model):
    """What one person last typed into one form and hasn't submitted; nobody else ever sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="填写人")
    form = models.CharField("表单", max_length=200)  # the view's name and its arguments
    # The page that writes it: another page, or another window, must not write over it.
    token = models.CharField("页面编号", max_length=TOKEN_LENGTH)
    content = EncryptedCharField("内容")  # JSON: [[field, value], …]
    # As the writer was then: who changes role or place mustn't read on what belongs to the old one.
    role = models.CharField("岗位", max_length=30)
    region = models.ForeignKey("accounts.Region", models.CASCADE, verbose_name="区划")
    updated_at = models.DateTimeField("保存时间")

    objects = models.Manager.from_queryset(DraftQuerySet)()

    class Personal:
        personal = ("content",)
        other = ("id", "user", "form", "token", "role", "region", "updated_at")

    class Meta:
        verbose_name = verbose_name_plural = "草稿"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "form"], name="%(app_label)s_%(class)s_one_per_form"
            ),
        ]


class Submission(models.Model):
    """A page of a form whose work is done; the same page again is answered with the same place."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name="填写人")
    token = models.CharField("页面编号", max_length=TOKEN_LENGTH)
    location = models.TextField("转到")
    at = models.DateTimeField("提交时间")

    class Personal:
        personal = ()
        other = ("id", "user", "token", "location", "at")

    class Meta:
        verbose_name = verbose_name_plural = "已提交的表单"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "token"], name="%(app_label)s_%(class)s_once_per_page"
            ),
        ]


def _submitted() -> Exists:
    """Whether the page that wrote the draft was submitted: its last save may arrive after that."""
    return Exists(Submission.objects.filter(user=OuterRef("user"), token=OuterRef("token")))
