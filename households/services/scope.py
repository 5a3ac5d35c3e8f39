"""What is written must end up inside the writer's region."""

from fpadmin.errors import RuleViolation

NOT_YOURS = "所选的家庭不在您的区划内，没有保存。"


def require_visible(queryset, instance) -> None:
    """Refuse a record that is not in `queryset`, which is what the writer may see."""
    if not queryset.filter(pk=instance.pk).exists():
        raise RuleViolation(NOT_YOURS, field="village")
