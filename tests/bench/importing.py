"""The import of residents: ours, django-import-export's default resource, and bare COPY."""

import io
import resource as rusage
import time
from contextlib import redirect_stdout
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.resources import ModelResource
from import_export.widgets import ForeignKeyWidget

from fpadmin.accounts.models import Region
from fpadmin.crypto import digest
from households.demo import loading
from households.demo.places import CITY, Place
from households.models import Household, Residency, Resident
from households.resources import RESIDENTS

TABLES = (Household, Resident, Residency)


def ours(places: list[Place], path: Path) -> dict:
    """`import_workbook` as an operator runs it: seconds, and the process's highest memory."""
    loading.make_regions(places)
    started = time.perf_counter()
    out = io.StringIO()
    try:
        call_command("import_workbook", "residents", str(path), office=CITY, stdout=out)
    except SystemExit as end:
        if end.code:
            raise SystemExit(out.getvalue()[:2000])
    seconds = time.perf_counter() - started
    peak = rusage.getrusage(rusage.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "rows": Resident.objects.count(), "peak_mb": peak}


def again(places: list[Place], path: Path) -> dict:
    """The same file a second time: nothing changes."""
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()) as out:
        try:
            call_command("import_workbook", "residents", str(path), office=CITY, json=True)
        except SystemExit as end:
            if end.code:
                raise
    return {"seconds": time.perf_counter() - started, "printed": out.getvalue()[:200]}


def bare_copy(places: list[Place], path: Path) -> dict:
    """COPY of the three tables' own rows back into them, keys and indexes on."""
    with connection.cursor() as cursor:
        dumps = {}
        for model in TABLES:
            dumps[model] = io.StringIO()
            cursor.copy_expert(f"COPY {model._meta.db_table} TO STDOUT", dumps[model])
        names = ", ".join(model._meta.db_table for model in TABLES)
        cursor.execute(f"TRUNCATE {names} CASCADE")
        started = time.perf_counter()
        cursor.execute("BEGIN")
        for model in TABLES:
            dumps[model].seek(0)
            cursor.copy_expert(f"COPY {model._meta.db_table} FROM STDIN", dumps[model])
        cursor.execute("COMMIT")
    return {"seconds": time.perf_counter() - started, "rows": Resident.objects.count()}


def default_resource(places: list[Place], path: Path) -> dict:
    """What django-import-export does out of the box with the same rows, households given."""
    loading.make_regions(places)
    content = path.read_bytes()
    dataset = XLSX().create_dataset(content)
    villages = {region.code: region for region in Region.objects.filter(level=5)}
    homes = {(row["村居代码"], row["户编号"]) for row in dataset.dict}
    Household.objects.bulk_create(
        Household(village=villages[village], number=number) for village, number in sorted(homes)
    )
    started = time.perf_counter()
    dataset = XLSX().create_dataset(content)
    dataset.append_col(
        [digest(number or "") or None for number in dataset["公民身份号码"]], "digest"
    )
    outcome = _DefaultResource().import_data(dataset, raise_errors=True)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": outcome.totals["new"]}


class _HouseholdWidget(ForeignKeyWidget):
    def get_queryset(self, value, row, *args, **kwargs):
        return Household.objects.filter(village__code=row["村居代码"])


_COLUMNS = {
    "name", "sex", "birth_date", "ethnicity", "relation", "hukou", "residence", "hukou_region_code",
    "marital", "first_marriage_date", "education", "employment", "phone", "only_child_cert_no",
    "only_child_cert_date", "disability_grade", "bank", "bank_account", "death_date", "note",
}  # fmt: skip
_HEADINGS = {column.key: column.heading for column in RESIDENTS.columns}


class _DefaultResource(ModelResource):
    """The columns by their headings, the two foreign keys, and the digest as the key of a row."""

    village = Field("village", "村居代码", ForeignKeyWidget(Region, "code"))
    household = Field("household", "户编号", _HouseholdWidget(Household, "number"))
    id_number = Field("id_number", "公民身份号码")
    id_number_digest = Field("id_number_digest", "digest")
    spouse_id_number = Field("spouse_id_number", "配偶公民身份号码")
    father_id_number = Field("father_id_number", "父亲公民身份号码")
    mother_id_number = Field("mother_id_number", "母亲公民身份号码")

    class Meta:
        model = Resident
        import_id_fields = ("id_number_digest",)
        fields = tuple(_COLUMNS) + (
            "village", "household", "id_number", "id_number_digest", "spouse_id_number",
            "father_id_number", "mother_id_number",
        )  # fmt: skip

    def before_import_row(self, row, **kwargs):
        for heading, value in row.items():
            row[heading] = "" if value is None and "日期" not in heading else value

    @classmethod
    def field_from_django_field(cls, field_name, django_field, readonly):
        field = super().field_from_django_field(field_name, django_field, readonly)
        field.column_name = _HEADINGS.get(field_name, field_name)
        return field
