"""How a test goes through the two pages of an event."""

from django.urls import reverse


def url(name, *args):
    return reverse(f"households:{name}", args=args)


def of_person(resident, kind):
    return url("resident-event", resident.pk, kind)


def of_home(household, kind):
    return url("household-event", household.pk, kind)


def check(client, address, **data):
    """Fill in the form and go on to the check page, or back to the form with its errors."""
    return client.post(address, {"happened_on": "2018-09-01", "step": "check"} | data)


def save(client, address, page, **more):
    """Press 登记 on the check page."""
    posted = {}
    for name, value in page.context["posted"]:
        posted.setdefault(name, []).append(value)
    posted |= {"seal": page.context["seal"], "step": "save"}
    return client.post(address, posted | more, follow=True)


def lines_of(page):
    """{(name, label): (before, after)} of the check page."""
    return {
        (person.name, line.label): (line.before, line.after)
        for person in page.context["effects"].people
        for line in person.lines
    }


def errors(page):
    return {name: list(found) for name, found in page.context["form"].errors.items()}
