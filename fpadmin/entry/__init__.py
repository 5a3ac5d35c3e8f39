"""Typing into long forms: a draft that survives crash and expiry, and a form that saves only once.

A form takes part by three lines, and by nothing else:

    @requires(Permission.REGISTRY_EDIT)
    @require_http_methods(["GET", "HEAD", "POST"])
    @entry_form                                         # 1: from fpadmin.entry.pages
    def death_record(request, pk):
        ...
        if request.method == "POST" and form.is_valid():
            services.record_death(...)
            return redirect(...)                        # a redirect means: it is done
        return render_form(request, "households/death_record.html", {"form": form})   # 2

    <form method="post" data-fp-leave>{% csrf_token %}{% entry %} … </form>   {# 3: {% load entry %} #}

The context holds the form as `form`; where it edits a record also `row_version` and `opened` (see
fpadmin.ui.editing), which a restored draft brings along as they were when it was begun, so that
what somebody else saved meanwhile shows on the conflict page instead of being overwritten.

A page in between (check, preview) is asked for by a button name="step" with one of STEPS_THAT_SAVE_NOTHING
and carries every posted field on by hidden inputs, as editing.posted_pairs() gives them. A confirm
page without anything to type takes `@once` and `{% once %}` alone.

Never for passwords: fields with "password" in their names are left out, but the form shouldn't ask.
"""
