"""Papers of an application: which belong to it, which are missing, what they are called.

The files are sealed (fpadmin.sealed) and served by application-paper-file alone.
"""

import hashlib
from collections.abc import Iterable

from fpadmin import sealed
from households.special.documents import safe_name
from households.special.uploads import ENDING_OF
from subsidies.applications.steps import may_decide, may_edit
from subsidies.eligibility.explaining import ATTESTED
from subsidies.models import Application, ApplicationPaper, ApplicationState
from subsidies.policies.book import Rule

FOLDER = "applications"
Kind = ApplicationPaper.Kind


def expected(rule: Rule) -> list[str]:
    """The kinds of paper that the rule asks for."""
    keys = {one.key for one in rule.criteria}
    kinds = [Kind.IDENTITY]
    if "certificate" in keys:
        kinds.append(Kind.CERTIFICATE)
    if ATTESTED in keys:
        kinds.append(Kind.PROOF)
    return kinds


def missing_papers(application: Application, rule: Rule) -> list[str]:
    """The kinds that the rule asks for and the application hasn't, in words."""
    return missing_of([application], {application.pk: rule})[application.pk]


def missing_of(applications: Iterable[Application], rules: dict[int, Rule]) -> dict[int, list[str]]:
    """missing_papers() of many, in one query; `rules` by the application's key."""
    there: dict[int, set[str]] = {}
    rows = ApplicationPaper.objects.filter(
        application__in=[one.pk for one in applications], removed_at__isnull=True
    )
    for application, kind in rows.order_by().values_list("application", "kind").distinct():
        there.setdefault(application, set()).add(kind)
    return {
        pk: [Kind(kind).label for kind in expected(rule) if kind not in there.get(pk, ())]
        for pk, rule in rules.items()
    }


def kinds_for(user, application: Application) -> list[str]:
    """The kinds that `user` may add and remove: all of an unsent form, the village's own at its review."""
    if may_edit(user, application):
        return list(Kind.values)
    if application.state == ApplicationState.VILLAGE and may_decide(user, application):
        return [Kind.PANEL]
    return []


def addable_for(user, application: Application) -> list[str]:
    """The kinds that `user` may add now: while the notice hangs also what was missing, by the village."""
    if application.state == ApplicationState.NOTICE and may_decide(user, application):
        return list(Kind.values)
    return kinds_for(user, application)


def papers_of(application: Application) -> list[ApplicationPaper]:
    """What was uploaded and not removed, in the order of the kinds."""
    order = {kind: place for place, kind in enumerate(Kind.values)}
    found = application.papers.filter(removed_at__isnull=True).select_related("uploaded_by")
    return sorted(found, key=lambda one: (order[one.kind], one.pk))


def content_of(paper: ApplicationPaper) -> bytes | None:
    """The file as it was kept; None where it is gone or is another one."""
    content = sealed.read(FOLDER, paper.file)
    same = content is not None and hashlib.sha256(content).hexdigest() == paper.sha256
    return content if same else None


def file_name(paper: ApplicationPaper) -> str:
    """申请编号 and the paper's name, safe in every file system; no policy and no person."""
    return (
        f"{safe_name(f'申请{paper.application_id}_{paper.title}')}.{ENDING_OF[paper.content_type]}"
    )
