"""URLs of the special families, within the namespace of the registry."""

from django.urls import path

from households.special.care_urls import urlpatterns as care
from households.special.contact_urls import urlpatterns as contacts
from households.special.log_urls import urlpatterns as log
from households.views import (
    special_archive_forms,
    special_archives,
    special_documents,
    special_health,
    special_pack,
    special_print,
    special_reviews,
    special_rounds,
)

urlpatterns = [
    path("special/", special_archives.special_family_list, name="special-family-list"),
    path(
        "special/candidates/",
        special_archives.special_candidate_list,
        name="special-candidate-list",
    ),
    path("special/doubts/", special_archives.special_doubt_list, name="special-doubt-list"),
    path(
        "special/households/<int:pk>/new/",
        special_archive_forms.special_family_create,
        name="special-family-create",
    ),
    path("special/print/", special_print.special_print, name="special-print"),
    path(
        "special/<int:pk>/print/", special_print.special_family_print, name="special-family-print"
    ),
    path("special/<int:pk>/", special_archives.special_family_detail, name="special-family-detail"),
    path(
        "special/<int:pk>/edit/",
        special_archive_forms.special_family_edit,
        name="special-family-edit",
    ),
    path(
        "special/<int:pk>/close/",
        special_archive_forms.special_family_close,
        name="special-family-close",
    ),
    path(
        "special/<int:pk>/move/",
        special_archive_forms.special_family_move,
        name="special-family-move",
    ),
    path(
        "special/<int:pk>/health/",
        special_health.special_family_health,
        name="special-family-health",
    ),
    path(
        "special/<int:pk>/health/edit/",
        special_health.special_family_health_edit,
        name="special-family-health-edit",
    ),
    path(
        "special/reviews/<int:pk>/decide/",
        special_archive_forms.special_review_decide,
        name="special-review-decide",
    ),
    path(
        "special/<int:pk>/documents/new/",
        special_documents.special_document_create,
        name="special-document-create",
    ),
    path("special/pack/", special_pack.special_pack_create, name="special-pack-create"),
    path(
        "special/documents/<int:pk>/",
        special_documents.special_document_file,
        name="special-document-file",
    ),
    path(
        "special/documents/<int:pk>/remove/",
        special_documents.special_document_remove,
        name="special-document-remove",
    ),
    path("special/reviews/", special_reviews.special_review_list, name="special-review-list"),
    *care,
    *contacts,
    *log,
    path("special/rounds/", special_rounds.special_round_list, name="special-round-list"),
    path("special/rounds/new/", special_rounds.special_round_create, name="special-round-create"),
    path("special/rounds/visits/", special_rounds.special_visit_list, name="special-visit-list"),
    path(
        "special/rounds/<int:pk>/", special_rounds.special_round_detail, name="special-round-detail"
    ),
    path(
        "special/rounds/<int:pk>/refresh/",
        special_rounds.special_round_refresh,
        name="special-round-refresh",
    ),
    path(
        "special/rounds/<int:pk>/visitors/",
        special_rounds.special_round_visitors,
        name="special-round-visitors",
    ),
    path(
        "special/rounds/<int:pk>/receipt/",
        special_rounds.special_round_receipt,
        name="special-round-receipt",
    ),
    path(
        "special/rounds/<int:pk>/paper/",
        special_rounds.special_round_paper,
        name="special-round-paper",
    ),
    path(
        "special/visits/<int:pk>/tick/",
        special_rounds.special_visit_tick,
        name="special-visit-tick",
    ),
    path(
        "special/visits/<int:pk>/untick/",
        special_rounds.special_visit_untick,
        name="special-visit-untick",
    ),
    path(
        "special/visits/<int:pk>/leave-out/",
        special_rounds.special_visit_leave_out,
        name="special-visit-leave-out",
    ),
    path(
        "special/visits/<int:pk>/take-in/",
        special_rounds.special_visit_take_in,
        name="special-visit-take-in",
    ),
    path(
        "special/visits/<int:pk>/receipt/",
        special_rounds.special_visit_receipt,
        name="special-visit-receipt",
    ),
]
