"""The words a record may hold, as forms and workbooks write them."""

from django.db import models


class Sex(models.TextChoices):
    MALE = "男", "男"
    FEMALE = "女", "女"


class Relation(models.TextChoices):
    HEAD = "户主", "户主"
    SPOUSE = "配偶", "配偶"
    SON = "子", "子"
    DAUGHTER = "女", "女"
    DAUGHTER_IN_LAW = "儿媳", "儿媳"
    SON_IN_LAW = "女婿", "女婿"
    FATHER = "父", "父"
    MOTHER = "母", "母"
    GRANDPARENT = "祖父母", "祖父母"
    GRANDCHILD = "孙子女", "孙子女"
    SIBLING = "兄弟姐妹", "兄弟姐妹"
    OTHER = "其他", "其他"


class Hukou(models.TextChoices):
    AGRICULTURAL = "农业", "农业"
    NON_AGRICULTURAL = "非农业", "非农业"


class Residence(models.TextChoices):
    PERMANENT = "常住", "常住"
    INFLOW = "流入", "流入"
    OUTFLOW = "流出", "流出"


class Marital(models.TextChoices):
    SINGLE = "未婚", "未婚"
    FIRST = "初婚", "初婚"
    REMARRIED = "再婚", "再婚"
    RESUMED = "复婚", "复婚"
    WIDOWED = "丧偶", "丧偶"
    DIVORCED = "离婚", "离婚"


class DisabilityGrade(models.TextChoices):
    FIRST = "一级", "一级"
    SECOND = "二级", "二级"
    THIRD = "三级", "三级"
    FOURTH = "四级", "四级"


class Origin(models.TextChoices):
    BORN = "亲生", "亲生"
    ADOPTED = "收养", "收养"


class Survival(models.TextChoices):
    ALIVE = "存活", "存活"
    DEAD = "死亡", "死亡"
