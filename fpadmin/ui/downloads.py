"""download(): the one way a file leaves the house."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "png": "image/png",
    "zip": "application/zip",
}


def download(name: str, content: bytes) -> HttpResponse:
    """The file to be kept, never shown in the page; its type is what the name's ending says."""
    suffix = name.rpartition(".")[2].lower()
    response = HttpResponse(content, content_type=TYPES.get(suffix, "application/octet-stream"))
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
