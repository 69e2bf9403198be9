"""What files are by their bytes, and pictures made anew: nothing of the camera stays, nothing of a bomb is unfolded."""

import io
import os
import time

import pytest
from PIL import Image

from gateway.files import file_types, image_sanitizer, media_folder
from gateway.files.image_sanitizer import UnusableImage
from tests.support import sample_files


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (sample_files.MADE["jpg"], "image/jpeg"),
        (sample_files.MADE["png"], "image/png"),
        (sample_files.MADE["pdf"], "application/pdf"),
        (sample_files.MADE["txt"], "text/plain"),
        (b"#!AMR\n\x3c", "audio/amr"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp4", "video/3gpp"),
        (b"\0\0\0\x18ftypM4A ", "audio/mp4"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "text/vcard"),
        (sample_files.office("word/document.xml"), file_types._OOXML + "wordprocessingml.document"),
        (sample_files.office("xl/workbook.xml"), file_types._OOXML + "spreadsheetml.sheet"),
        (
            sample_files.open_document("application/vnd.oasis.opendocument.text"),
            "application/vnd.oasis.opendocument.text",
        ),
    ],
)
def test_what_goes_on_is_known_by_its_bytes(content: bytes, kind: str) -> None:
    assert file_types.sniff(content) == kind
    assert file_types.explain_refusal(content, "anything.dat") is None


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (sample_files.MADE["exe"], "photo.jpg", "program"),
        (b"\x7fELF\x02\x01", "x", "program"),
        (b"#!/bin/sh\nrm -rf /\n", "notes.txt", "program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "offer.doc", "program"),  # an installer looks the same
        (b"start calc", "notes.bat", "program"),
        (sample_files.MADE["jpg"], "photo.jpg.exe", "program"),
        (sample_files.MADE["svg"], "logo.svg", "web page"),
        (b"<!DOCTYPE html><p>hello", "page.txt", "web page"),
        (b"<?xml version='1.0'?><x/>", "data.txt", "web page"),
        (sample_files.MADE["zip"], "all.zip", "archive"),
        (b"\x1f\x8b\x08", "all.tar.gz", "archive"),
        (sample_files.office("xl/workbook.xml", "xl/vbaProject.bin"), "sums.xlsx", "macros"),
        (b"\0\0\0\x18ftypheic", "IMG_1.HEIC", "metadata"),
        (b"\x00\x01\x02\x03", "thing.bin", "unknown"),
        (b"", "nothing.txt", "empty"),
    ],
)
def test_what_does_not_go_on(content: bytes, name: str, why: str) -> None:
    assert file_types.explain_refusal(content, name) == why


def test_a_page_behind_a_pictures_first_bytes_is_gone_when_it_is_made_anew() -> None:
    polyglot = sample_files.moving("GIF") + b"<script>alert(document.domain)</script>"
    assert file_types.sniff(polyglot) == "image/gif"
    assert b"<script" not in image_sanitizer.sanitize(polyglot).content
    with pytest.raises(UnusableImage, match="broken"):
        image_sanitizer.sanitize(b"GIF89a/*<svg/onload=alert(1)>*/=1;")


@pytest.mark.parametrize(
    ("given", "kind", "named"),
    [
        ("van.jpg", "image/jpeg", "van.jpg"),
        ("van.JPEG", "image/jpeg", "van.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\Users\\kim\\van.png", "image/png", "van.png"),
        ("photo\u202egnp.exe", "image/png", "photognp.exe.png"),
        ("a\r\nSet-Cookie: x=1.pdf", "application/pdf", "a Set-Cookie_ x=1.pdf"),
        ("..", "image/gif", "photo.gif"),
        ("", "application/pdf", "file.pdf"),
        ("numbers.csv", "text/plain", "numbers.csv"),
        ('"><script>.pdf', "application/pdf", "___script_.pdf"),
        ("x" * 300 + ".pdf", "application/pdf", "x" * 76 + ".pdf"),
    ],
)
def test_names_are_harmless_and_end_in_what_the_file_is(given: str, kind: str, named: str) -> None:
    assert file_types.name_file(given, kind) == named


def test_nothing_that_a_camera_wrote_stays() -> None:
    taken = sample_files.from_a_camera(orientation=6, width=1600, height=1200)
    assert sample_files.MAKER.encode() in taken
    with Image.open(io.BytesIO(taken)) as before:
        assert before.getexif().get_ifd(0x8825)[1] == "N"
    made = image_sanitizer.sanitize(taken)
    for content in (made.content, made.small or b""):
        assert not [
            word for word in (b"Exif", b"GPS", sample_files.MAKER.encode(), b"xmp", b"Secret") if word in content
        ]
        with Image.open(io.BytesIO(content)) as after:
            assert not after.getexif()
            assert set(after.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    with Image.open(io.BytesIO(made.content)) as turned:
        assert turned.size == (1200, 1600), "upright without being told"
        red, blue = turned.getpixel((1190, 10)), turned.getpixel((10, 10))
        assert isinstance(red, tuple)
        assert isinstance(blue, tuple)
        assert red[0] > 200 > blue[0], "what was at the left is on top now, so the right side is red"
    with Image.open(io.BytesIO(made.small or b"")) as small:
        assert max(small.size) == image_sanitizer.SMALL


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_what_moves_goes_on_moving(form: str) -> None:
    made = image_sanitizer.sanitize(sample_files.moving(form))
    assert sample_files.MAKER.encode() not in made.content
    with Image.open(io.BytesIO(made.content)) as after:
        assert getattr(after, "n_frames", 1) == 3
        after.seek(1)
        assert after.convert("RGB").getpixel((5, 5))[0] in range(70, 91)  # type: ignore[index]


def test_see_through_stays_see_through() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).quantize().save(out, "PNG")
    with Image.open(io.BytesIO(image_sanitizer.sanitize(out.getvalue()).content)) as after:
        assert after.convert("RGBA").getpixel((1, 1))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("content", [sample_files.bomb(), sample_files.bomb(60_000, 900)])
def test_a_bomb_is_not_unfolded(content: bytes) -> None:
    assert len(content) < 5_000
    with pytest.raises(UnusableImage, match="too large"):
        image_sanitizer.measure(content)
    began = time.thread_time()
    with pytest.raises(UnusableImage, match="too large"):
        image_sanitizer.sanitize(content)
    assert time.thread_time() - began < 10


def test_too_many_frames_are_not_unfolded_either() -> None:
    with pytest.raises(UnusableImage, match="too large"):
        image_sanitizer.sanitize(sample_files.moving("GIF", frames=image_sanitizer.FRAMES + 1, size=(4, 4)))


@pytest.mark.parametrize("content", [sample_files.MADE["jpg"][:2_000], b"\xff\xd8\xff", sample_files.MADE["png"][:900]])
def test_half_a_picture_is_broken(content: bytes) -> None:
    with pytest.raises(UnusableImage, match="broken"):
        image_sanitizer.sanitize(content)


def test_a_file_is_kept_once_and_whole(tmp_path) -> None:  # type: ignore[no-untyped-def]
    digest = media_folder.keep(tmp_path, b"the van").hex()
    place = media_folder.place(tmp_path, digest)
    assert place.read_bytes() == b"the van"
    assert media_folder.right(tmp_path, digest)
    os.utime(place, (1, 1))
    assert media_folder.keep(tmp_path, b"the van").hex() == digest
    assert place.stat().st_mtime > 1, "in use again"
    assert [path.name for path in place.parent.iterdir()] == [digest]
    place.write_bytes(b"another van")
    assert not media_folder.right(tmp_path, digest)
