"""The first account of an empty installation, or one more when nobody can sign in."""

from django.core.management.base import BaseCommand, CommandError

from fpadmin.accounts import services
from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Role
from fpadmin.audit.log import SystemJob
from fpadmin.errors import RuleViolation


class Command(BaseCommand):
    help = "Create an account and print its one-time password."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the person's real name")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--region", required=True, metavar="CODE")

    def handle(self, *, username, name, role, region, **options):
        place = Region.objects.filter(code=region).first()
        if place is None:
            raise CommandError(
                f"区划{region}还没有登记。请先导入区划：\n"
                f"  manage.py import_workbook regions 区划文件.xlsx --office {region}"
            )
        try:
            account, password = services.create_account(
                username=username, name=name, role=role, region=place, by=SystemJob("createaccount")
            )
        except RuleViolation as violation:
            raise CommandError(violation.message)
        self.stdout.write(
            f"{account.username}\t{account.get_role_display()}\t{place.name}\t一次性密码 {password}"
        )
