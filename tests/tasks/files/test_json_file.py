"""Json is decoded by type, and every refusal names file, place, value and fix without a Python error's name."""

from __future__ import annotations

import msgspec
import pytest

from tasks.files.json_file import decode_json, read_json


class Record(msgspec.Struct):
    id: int | str
    bbox: tuple[float, float, float, float] | None = None
    score: float = 1.0


class File(msgspec.Struct):
    records: list[Record]


def test_records_are_decoded(tmp_path):
    (tmp_path / "f.json").write_bytes('{"records": [{"id": "a", "bbox": [1, 2, 3.5, 4], "more": {}}]}'.encode("utf-16"))
    assert read_json(tmp_path / "f.json", File, "records").records == [Record("a", (1.0, 2.0, 3.5, 4.0))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"records": [{"id": 7, "bbox": [1, 2, 3]}]}',
            r"f, records\[0\] \(id 7\): expected four numbers, got \[1, 2, 3\]",
        ),
        (
            '{"records": [{"id": 1}, {"id": 7, "score": "x"}]}',
            r"f, records\[1\]\.score \(id 7\): expected a number, got 'x'",
        ),
        ('{"records": [{"id": 7, "score": ' + "9" * 400 + "}]}", "too many digits"),
        ('{"records": [{"bbox": null}]}', r"records\[0\]: expected the field 'id' but it is missing"),
        ('{"records": [5]}', r"records\[0\]: expected an object \{...\}, got 5"),
        ('{"other": []}', "f: expected the field 'records' but it is missing"),
        ("[]", r"f: expected an object \{...\} \(records\), got \[\]"),
        ("", "it is empty"),
        ("  ", "it is empty"),
        ('{"records": [{"id": 7', "it is cut short"),
        ('{"records": [{"id": 7,\n "score": NaN}]}', r"records\[0\]\.score \(id 7\): expected a number, got NaN"),
        ('{"records": [{"id": 7,\n "score": -Infinity}]}', "got -Infinity"),
        ('{"records": ' + "[" * 200_000 + "}", "got something else"),
        ('{"records": [], "x": ' + "[" * 200_000 + "}", "nested too deep"),
    ],
)
def test_a_refusal_is_one_line(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        decode_json(text.encode(), File, "f", "records", {"bbox": "four numbers"})
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300
    assert not any(name in message for name in ("Error", "msgspec", "`", "null |"))


def test_latin_1_is_refused():
    with pytest.raises(ValueError, match=r"f: expected records in UTF-8, got a text with the byte 0xeb"):
        decode_json('{"records": [{"id": "Zoë"}]}'.encode("latin-1"), File, "f", "records")
