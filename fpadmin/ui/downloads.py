"""download() and download_parts(): the one way a file leaves the house."""

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse
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
    return _attached(HttpResponse(content), name)


def download_parts(name: str, parts: Iterable[bytes], size: int) -> StreamingHttpResponse:
    """download() of a large file, of which only a piece is in memory."""
    response = _attached(StreamingHttpResponse(parts), name)
    response["Content-Length"] = size
    return response


def _attached(response, name: str):
    suffix = name.rpartition(".")[2].lower()
    response["Content-Type"] = TYPES.get(suffix, "application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
