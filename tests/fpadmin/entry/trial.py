"""A form whose work no rule of the office would refuse a second time, for the tests of `once`."""

import threading
from contextlib import suppress

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from fpadmin import urls
from fpadmin.accounts.models import SignInAttempt
from fpadmin.accounts.permissions import Permission, requires
from fpadmin.entry.pages import once

# Both requests meet here, inside the view. Where only one may enter it waits in vain, and goes on
# while the other stands before the door.
meeting = threading.Barrier(2)
entered: list[str] = []


@requires(Permission.SIGNED_IN)
@once
def trial(request):
    """Write one row; refuse when told to."""
    entered.append(request.method)
    with suppress(threading.BrokenBarrierError):
        meeting.wait(1)
    if request.POST.get("refuse"):
        return HttpResponse("no")
    SignInAttempt.objects.create(address="10.0.0.1")
    return redirect("help")


urlpatterns = [*urls.urlpatterns, path("trial/", trial, name="trial")]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500
