"""What every page's shell needs."""

from django.conf import settings


def shell(request):
    return {"product_name": settings.PRODUCT_NAME, "demo": settings.DEMO}
