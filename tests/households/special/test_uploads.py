"""What is uploaded to an archive: made harmless or refused, a sentence for each cause."""

import io
import zlib

import pytest
from PIL import Image

from households.special import uploads
from households.special.uploads import Refused, paper_of
from tests.factories.special import pdf, picture


def opened(paper) -> Image.Image:
    return Image.open(io.BytesIO(paper.content))


def refused(name, content) -> str:
    with pytest.raises(Refused) as problem:
        paper_of(name, content)
    return problem.value.code


def with_place(**tags) -> Image.Exif:
    exif = Image.Exif()
    exif[271] = "手机厂商"  # Make
    for tag, value in tags.items():
        exif[int(tag[1:])] = value
    exif.get_ifd(0x8825).update({1: "N", 2: (24.0, 55.0, 12.0), 3: "E", 4: (102.0, 28.0, 40.0)})
    return exif


def jpeg_parts(content) -> bytes:
    """The marker of every segment before the picture's data."""
    found, at = b"", 2
    while content[at + 1] != 0xDA:
        found += content[at + 1 : at + 2]
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return found


def test_photo_loses_place_maker_and_comment():
    before = picture(exif=with_place(), comment=b"tel 13012348404")
    assert Image.open(io.BytesIO(before)).getexif().get_ifd(0x8825)
    paper = paper_of("IMG_0001.JPG", before)
    assert paper.content_type == "image/jpeg"
    assert not opened(paper).getexif()
    assert b"13012348404" not in paper.content
    assert b"Exif" not in paper.content
    assert not set(jpeg_parts(paper.content)) & {0xE1, 0xE2, 0xED, 0xFE}


def test_photo_of_a_turned_phone_stands_upright():
    sideways = Image.new("RGB", (40, 20), "white")
    sideways.paste((200, 0, 0), (0, 0, 20, 20))  # the left half; upright it is the upper one
    target = io.BytesIO()
    sideways.save(target, "JPEG", exif=with_place(t274=6), quality=95)
    upright = opened(paper_of("a.jpg", target.getvalue()))
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 4))[1] < 80
    assert upright.getpixel((10, 36))[1] > 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_picture_is_brought_to_its_longest_side(kind):
    name = "a.jpg" if kind == "JPEG" else "a.png"
    assert opened(paper_of(name, picture(kind, (4100, 1025)))).size == (2000, 500)
    assert opened(paper_of(name, picture(kind, (300, 200)))).size == (300, 200)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I;16"])
def test_png_of_any_mode_is_drawn_anew_without_its_texts(mode):
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Author", "canary-name")
    target = io.BytesIO()
    Image.new(mode, (30, 20)).save(target, "PNG", pnginfo=texts)
    paper = paper_of("a.png", target.getvalue())
    assert opened(paper).size == (30, 20)
    assert b"canary-name" not in paper.content
    assert opened(paper).mode in ("L", "RGB", "RGBA")


def test_cmyk_scan_is_taken():
    target = io.BytesIO()
    Image.new("CMYK", (30, 20)).save(target, "JPEG")
    assert opened(paper_of("a.jpeg", target.getvalue())).mode == "RGB"


def test_tail_behind_a_picture_is_cut_off():
    """A picture that is a web page or a zip as well leaves as a picture alone."""
    for tail in (b"<script>alert(1)</script>", b"PK\x03\x04" + b"x" * 40):
        assert tail not in paper_of("a.jpg", picture() + tail).content
        assert tail not in paper_of("a.png", picture("PNG") + tail).content


def test_of_a_moving_picture_the_first_frame_is_kept():
    target = io.BytesIO()
    first, second = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
    first.save(target, "PNG", save_all=True, append_images=[second])
    assert getattr(Image.open(io.BytesIO(target.getvalue())), "n_frames", 1) == 2
    still = opened(paper_of("a.png", target.getvalue()))
    assert getattr(still, "n_frames", 1) == 1
    assert still.getpixel((5, 5)) == (255, 0, 0)


def png_bomb(side: int) -> bytes:
    """A few kilobytes that unpack to side² pixels."""

    def chunk(kind, body):
        crc = zlib.crc32(kind + body).to_bytes(4)
        return len(body).to_bytes(4) + kind + body + crc

    head = side.to_bytes(4) * 2 + b"\x01\x00\x00\x00\x00"
    data = zlib.compress(b"\0" * (side // 8 + 1) * min(side, 2000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_000, 60_000])
def test_bomb_is_refused_by_its_head(side):
    bomb = png_bomb(side)
    assert len(bomb) < 200_000
    assert refused("a.png", bomb) == "too_many_pixels"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jpg", b"", "empty"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "wrong_type"),
        ("a.html", b"<html>", "wrong_type"),
        ("a", picture(), "wrong_type"),
        ("a.gif", b"GIF89a" + b"\0" * 20, "wrong_type"),
        ("a.jpg.exe", b"MZ" + b"\0" * 20, "wrong_type"),
        ("a.docx", b"PK\x03\x04", "wrong_type"),
        ("a.jpg", b"<html><script>alert(1)</script>", "wrong_content"),
        ("a.jpg", b"  <svg onload='alert(1)'/>", "wrong_content"),
        ("a.png", picture(), "wrong_content"),
        ("a.pdf", picture(), "wrong_content"),
        ("a.jpg", pdf(), "wrong_content"),
        ("a.pdf", b"MZ" + b"\0" * 20, "wrong_content"),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 20, "heic"),
        ("a.jpg", b"\0\0\0\x18ftypmif1" + b"\0" * 20, "heic"),
        ("a.jpg", picture()[:300], "damaged"),
        ("a.jpg", b"\xff\xd8\xff" + b"<script>" * 9, "damaged"),
        ("a.png", picture("PNG")[:60], "damaged"),
        ("a.pdf", pdf()[:-20], "damaged"),
        ("a.pdf", b"\n" + pdf(), "wrong_content"),
        ("a.pdf", pdf(trailer=b"/Encrypt 5 0 R"), "encrypted"),
        ("a.pdf", pdf(b"/OpenAction<</S/JavaScript/JS(app.alert)>>"), "active"),
        ("a.pdf", pdf(b"/AA<</O<</S/Java#53cript/JS(x)>>>>"), "active"),
        ("a.pdf", pdf(b"/OpenAction 7 0 R"), "active"),
        ("a.pdf", pdf(b"/A<</S/Launch/F(cmd.exe)>>"), "active"),
        ("a.pdf", pdf(b"/Names<</EmbeddedFiles 9 0 R>>"), "active"),
    ],
)  # fmt: skip
def test_each_cause_is_refused(name, content, code):
    assert refused(name, content) == code


def test_each_refusal_is_a_sentence_of_its_own(settings):
    settings.DOCUMENT_MAX_BYTES = 1024 * 1024
    words = set()
    for name, content in (
        ("a.jpg", b""),
        ("a.jpg", b"\xff\xd8\xff" + b"x" * 1_200_000),
        ("a.svg", b"<svg/>"),
        ("a.jpg", b"<html>"),
        ("a.jpg", picture()[:300]),
        ("a.pdf", pdf()[:-20]),
        ("a.pdf", pdf(trailer=b"/Encrypt 5 0 R")),
        ("a.pdf", pdf(b"/Launch")),
        ("a.heic", b"\0\0\0\x18ftypheic"),
        ("a.png", png_bomb(8_000)),
    ):
        with pytest.raises(Refused) as problem:
            paper_of(name, content)
        words.add(problem.value.message)
        assert problem.value.message.endswith("。")
    assert len(words) == 10
    assert any("超过1MB的上限" in sentence for sentence in words)


def test_act_that_lies_packed_in_a_pdf_is_found():
    packed = zlib.compress(b"1 0 <</S/JavaScript/JS(app.alert(1))>>")
    head = b"%PDF-1.5\n4 0 obj<</Type/ObjStm/N 1/First 4/Filter/FlateDecode>>stream\r\n"
    hidden = head + packed + b"\nendstream endobj\nstartxref\n9\n%%EOF\n"
    assert b"JavaScript" not in hidden
    assert refused("a.pdf", hidden) == "active"


def test_harmless_pdf_stays_as_it_is():
    """Also one that says where to open, as office programs write, and one that isn't quite encrypted."""
    for content in (pdf(), pdf(b"/OpenAction [3 0 R /Fit]"), pdf(b"/EncryptMetadata false")):
        paper = paper_of("户口簿.PDF", content)
        assert (paper.content, paper.content_type) == (content, "application/pdf")
        assert not paper.is_picture


def test_pdf_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(uploads, "_MOST_UNPACKED", 1000)
    packed = zlib.compress(b"0" * 5000)
    content = b"%PDF-1.5\n4 0 obj<</Type/ObjStm>>stream\n" + packed + b"\nstartxref\n9\n%%EOF\n"
    assert refused("a.pdf", content) == "active"
