"""Pages of the shell itself."""


def csrf_failure(request, reason=""):
    raise NotImplementedError
