"""What somebody uploads to an archive, made harmless: a picture drawn anew, or a PDF that does nothing.

A picture leaves as pixels only: no place, time or device, no second picture, no tail. A PDF stays as
it is, so that a signature in it holds; it is only looked through, and always served as an attachment.
"""

import io
import re
import zlib
from dataclasses import dataclass

from django.conf import settings
from PIL import Image, ImageOps

JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
ENDINGS = {"jpg": JPEG, "jpeg": JPEG, "png": PNG, "pdf": PDF}
ENDING_OF = {JPEG: "jpg", PNG: "png", PDF: "pdf"}
LONGEST_SIDE = 2_000
# A picture is refused by what its head says, before a pixel is decoded: 50 million take 200 MB at most.
MOST_PIXELS = 50_000_000
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
QUALITY = 85

_MAGIC = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"%PDF-", PDF),
)
# What else people choose, by its first bytes, in their words.
_OTHERS = (
    (re.compile(rb"....ftyp(heic|heix|hevc|mif1|msf1)", re.S), "HEIC照片"),
    (re.compile(rb"RIFF....WEBP", re.S), "WebP图片"),
    (re.compile(rb"GIF8"), "GIF动图"),
    (re.compile(rb"BM"), "BMP图片"),
    (re.compile(rb"PK\x03\x04"), "压缩包或Office文件"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "Office文件"),
    (re.compile(rb"MZ|\x7fELF"), "程序"),
    (re.compile(rb"\s*(\xef\xbb\xbf)?\s*<"), "网页或SVG图形"),
)
# Limits of the look through: names may be written with #xx, and objects may lie packed in streams, so
# both are undone first. What is hidden deeper (a stream packed twice) passes; hence the attachment.
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PACKED = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.S)
_MOST_UNPACKED = 20_000_000
_ENCRYPTED = re.compile(rb"/Encrypt(?![A-Za-z])")
# A place to open at ([ …]) is harmless, and many office programs write one; anything else is an act.
_ACTIVE = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z])|/OpenAction(?!\s*\[)"
)


class Refused(Exception):
    """The file cannot be taken; `code` names the cause, the text is a sentence for who uploads."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Paper:
    """A file that may be kept: its harmless content and what it is."""

    content: bytes
    content_type: str

    @property
    def is_picture(self) -> bool:
        return self.content_type != PDF


def limit_in_mb() -> int:
    """The largest file that is taken."""
    return settings.DOCUMENT_MAX_BYTES // 1024 // 1024


def check_size(size: int) -> None:
    """Refuse an empty file and one over DOCUMENT_MAX_BYTES, before it is read into memory."""
    if not size:
        raise Refused("empty", "文件是空的（0字节）。请确认选对了文件，重新上传。")
    if size > settings.DOCUMENT_MAX_BYTES:
        raise Refused(
            "too_big",
            f"文件有{size / 1024 / 1024:.1f}MB，超过{limit_in_mb()}MB的上限。"
            "请把照片调小，或者降低扫描的清晰度后重新上传。",
        )


def paper_of(name: str, content: bytes) -> Paper:
    """The file as it may be kept. Raises Refused with the cause."""
    check_size(len(content))
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    found = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")
    other = "" if found else next((w for p, w in _OTHERS if p.match(content)), "看不懂的数据")
    if other == "HEIC照片":
        raise Refused(
            "heic",
            "这是HEIC格式的照片，很多电脑打不开。请在手机“设置—相机—格式”里选“兼容性最佳”后重拍，"
            "或者另存为JPG后上传。",
        )
    if ending not in ENDINGS:
        what = f"这个文件是.{ending[:10]}" if ending else "这个文件没有扩展名"
        raise Refused("wrong_type", f"只能上传JPG、PNG图片或PDF，{what}。")
    if found != ENDINGS[ending]:
        what = other or f"{ENDING_OF[found].upper()}文件"
        raise Refused(
            "wrong_content", f"文件扩展名是.{ending}，内容却是{what}。请重新拍照或扫描后上传。"
        )
    if found == PDF:
        _look_through(content)
        return Paper(content, PDF)
    return Paper(_drawn_anew(content, found), found)


def _drawn_anew(content: bytes, kind: str) -> bytes:
    """The upright pixels of the first picture in the file, at most LONGEST_SIDE, and nothing else."""
    try:
        with Image.open(
            io.BytesIO(content), formats=[ENDING_OF[kind].replace("jpg", "jpeg")]
        ) as file:
            if file.width * file.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            file.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded small at once
            picture = ImageOps.exif_transpose(file)
            picture = picture.convert(_mode(picture, kind))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(
            "too_many_pixels",
            f"图片的尺寸太大，超过{MOST_PIXELS // 10_000:,}万像素。请调小后重新上传。",
        ) from None
    except Exception:  # there is no list of what a decoder raises for a broken or hostile file
        raise Refused("damaged", "图片已损坏，打不开。请重新拍照或扫描后上传。") from None
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    target = io.BytesIO()
    if kind == JPEG:
        clean.save(target, "JPEG", quality=QUALITY, optimize=True)
    else:
        clean.save(target, "PNG", optimize=True)
    return target.getvalue()


def _mode(picture: Image.Image, kind: str) -> str:
    if picture.mode in ("1", "L", "I", "I;16"):
        return "L"
    return "RGBA" if kind == PNG and picture.has_transparency_data else "RGB"


def _look_through(content: bytes) -> None:
    """Refuse a PDF that is cut off, needs a password, or would do something when it is opened."""
    if b"%%EOF" not in content[-1024:] or b"startxref" not in content[-2048:]:
        raise Refused("damaged", "PDF已损坏或没有传完整。请重新扫描或导出后上传。")
    readable = _NAME_ESCAPE.sub(_unescaped, content)
    if _ENCRYPTED.search(readable):
        raise Refused("encrypted", "PDF有密码或限制，归档后会打不开。请去掉密码后重新上传。")
    if _ACTIVE.search(readable) or any(_ACTIVE.search(part) for part in _unpacked(content)):
        raise Refused(
            "active", "PDF里带有程序、附件或自动动作，不能归档。请打印成PDF或扫描后重新上传。"
        )


def _unpacked(content: bytes):
    """The objects that lie packed in streams, up to a limit."""
    left, whole = _MOST_UNPACKED, memoryview(content)
    for found in _PACKED.finditer(content):
        try:
            part = zlib.decompressobj().decompress(whole[found.end() :], max(left, 1))
        except zlib.error:
            continue
        left -= len(part)
        if left <= 0:
            raise Refused("active", "PDF的内容太复杂，无法检查。请打印成PDF或扫描后重新上传。")
        yield _NAME_ESCAPE.sub(_unescaped, part)


def _unescaped(found: re.Match) -> bytes:
    return bytes([int(found[1], 16)])
