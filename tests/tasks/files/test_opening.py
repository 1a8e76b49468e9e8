"""Files from outside are opened without waiting, without folders, and in any Unicode encoding."""

import gzip
import os

import pytest

from tasks.files.opening import _unpacked, compressed_or_plain, read_bytes, read_text
from tasks.files.writing import compress


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "boxes.json")
    with pytest.raises(ValueError, match=r"boxes\.json but it is a pipe or a device"):
        read_bytes(tmp_path / "boxes.json", "detector boxes")


@pytest.mark.parametrize(
    ("name", "words"),
    [(".", "a folder"), ("none.json", "no such file; fetch it"), ("f/x", "no such file"), ("a\0b", "no file")],
)
def test_what_is_no_regular_file_is_refused(tmp_path, name, words):
    (tmp_path / "f").write_text("")
    with pytest.raises(ValueError, match=words):
        read_bytes(tmp_path / name, "a list", "fetch it")


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    with (tmp_path / "big.json").open("wb") as file:
        file.truncate(40 * 2**30)  # sparse: it takes no room
    with pytest.raises(ValueError, match=r"big\.json of at most 8 GiB but it has 40\.0 GiB"):
        read_bytes(tmp_path / "big.json", "annotations")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "utf-32-le"]
)
def test_unicode_encodings_are_read(tmp_path, encoding):
    mark = "\ufeff" if encoding == "utf-32-be" else ""
    (tmp_path / "list.txt").write_bytes((mark + "Zoë.jpg 3\n").encode(encoding))
    assert read_text(tmp_path / "list.txt", "a list") == "Zoë.jpg 3\n"


def test_latin_1_names_file_and_line(tmp_path):
    (tmp_path / "list.txt").write_bytes("a.jpg\nZoë.jpg\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"list\.txt, line 2: expected UTF-8 text, got the byte 0xeb"):
        read_text(tmp_path / "list.txt", "a list")


def test_compressed_text_reads_as_what_was_compressed(tmp_path):
    (tmp_path / "a.json").write_text('["é"]', encoding="utf-8")
    packed = compress(tmp_path / "a.json")
    assert packed.name == "a.json.gz" and not (tmp_path / "a.json").exists()
    assert compressed_or_plain(tmp_path / "a.json") == packed and read_text(packed, "a list") == '["é"]'
    again = tmp_path / "b.json"
    again.write_text('["é"]', encoding="utf-8")
    assert compress(again).read_bytes() == packed.read_bytes()  # no name, no date
    packed.write_bytes(packed.read_bytes() + gzip.compress(b" "))
    assert read_text(packed, "a list") == '["é"] '  # in two parts, as gzip allows


@pytest.mark.parametrize(("change", "words"), [(slice(0, -9), "cut short"), (slice(0, 3), "cut short|broken")])
def test_a_broken_compressed_file_is_said(tmp_path, change, words):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 1000)[change])
    with pytest.raises(ValueError, match=rf"a\.gz: .*{words}"):
        read_text(tmp_path / "a.gz", "a list")
    with pytest.raises(ValueError, match=r"a\.gz: .*at most .* GiB once it is unpacked"):
        _unpacked(gzip.compress(b"x" * 10_000_000), tmp_path / "a.gz", 1e-3)
