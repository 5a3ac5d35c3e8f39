"""URLs of the special families, within the namespace of the registry."""

from django.urls import path

from households.views import special_archives, special_documents, special_reviews

urlpatterns = [
    path("special/", special_archives.special_family_list, name="special-family-list"),
    path("special/<int:pk>/", special_archives.special_family_detail, name="special-family-detail"),
    path(
        "special/<int:pk>/documents/new/",
        special_documents.special_document_create,
        name="special-document-create",
    ),
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
]
