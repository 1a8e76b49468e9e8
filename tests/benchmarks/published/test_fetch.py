"""`fetch` against a server on loopback that breaks off, lies about the hash, ignores ranges, hangs, or has nothing."""

from __future__ import annotations

import hashlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.cli import entry
from benchmarks.published.fetching import files, links, transfer
from benchmarks.published.fetching.transfer import TransferError, fetch_file
from benchmarks.published.weights import Weights, load_weights, weights_of

CONTENT = bytes(range(256)) * 1200
DIGEST = hashlib.sha256(CONTENT).hexdigest()
BY_HAND = "pose_hrnet_w32_256x192.pth"
LINKED = "hrnet_cs_8090_torch11.pth"


@dataclass
class Behaviour:
    """What the server does wrong, and what it was asked for."""

    content: bytes = CONTENT
    breaks_at: list[int] = field(default_factory=list)
    ranges: bool = True
    tag: str = '"one"'
    status: int = 200
    stated: bool = True
    kind: str = "application/octet-stream"
    hangs: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    only: str = ""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        does: Behaviour = self.server.does  # type: ignore[attr-defined]
        wanted = self.headers.get("Range", "")
        does.asked.append((self.path, wanted))
        if does.hangs:
            self.server.released.wait(5)  # type: ignore[attr-defined]
            return
        if does.status != 200 or (does.only and self.path != does.only):
            self.send_error(does.status if does.status != 200 else 404)
            return
        content, start = does.content, 0
        if wanted and does.ranges and self.headers.get("If-Range", does.tag) == does.tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if does.tag:
            self.send_header("ETag", does.tag)
        self.send_header("Content-Type", does.kind)
        if does.stated:
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = does.breaks_at.pop(0) if does.breaks_at else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """As of TCP alone: http's asks for the host's name, which takes seconds without a network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    with _Server(("127.0.0.1", 0), _Handler) as made:
        made.does, made.released = Behaviour(), threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}", made.does  # type: ignore[attr-defined]
        made.released.set()  # type: ignore[attr-defined]
        made.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(links.MIRROR, raising=False)


def _kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_whole_file_gets_its_name_and_nothing_else_stays(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, _ = server
    assert fetch_file(f"{address}/w.pth", tmp_path / "deep/w.pth", DIGEST[:8]) == DIGEST
    assert (tmp_path / "deep/w.pth").read_bytes() == CONTENT
    assert _kept(tmp_path) == ["w.pth"]


def test_a_line_that_breaks_is_continued_where_it_broke(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, does = server
    does.breaks_at = [1000, 50_000]
    fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert [wanted for _, wanted in does.asked] == ["", "bytes=1000-", "bytes=50000-"]


def test_the_next_call_goes_on_and_half_a_file_never_has_the_name(
    server: tuple[str, Behaviour], tmp_path: Path
) -> None:
    address, does = server
    does.breaks_at = [4000] + [4000] * transfer.ATTEMPTS
    with pytest.raises(TransferError, match=f"broke off at 4000 of {len(CONTENT)} bytes; what arrived is kept"):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    assert "w.pth" not in _kept(tmp_path)
    assert "w.pth.part" in _kept(tmp_path)
    does.asked.clear()
    fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    assert does.asked == [("/w.pth", "bytes=4000-")]
    assert _kept(tmp_path) == ["w.pth"]


@pytest.mark.parametrize("how", ["ignores ranges", "changed, and says so", "changed, and marks nothing"])
def test_a_part_that_cannot_be_continued_is_begun_again(
    server: tuple[str, Behaviour], tmp_path: Path, how: str
) -> None:
    address, does = server
    does.content, does.breaks_at = CONTENT[::-1], [4000] + [4000] * transfer.ATTEMPTS
    does.tag = "" if "nothing" in how else does.tag
    with pytest.raises(TransferError):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    does.content = CONTENT
    does.ranges, does.tag = "ignores" not in how, does.tag and '"two"'
    fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_without_a_published_hash_a_part_without_a_mark_is_begun_again(
    server: tuple[str, Behaviour], tmp_path: Path
) -> None:
    address, does = server
    does.tag, does.breaks_at = "", [4000] + [4000] * transfer.ATTEMPTS
    with pytest.raises(TransferError):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth")
    does.asked.clear()
    fetch_file(f"{address}/w.pth", tmp_path / "w.pth")
    assert does.asked == [("/w.pth", "")]


def test_another_file_than_published_is_refused_and_not_kept(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, does = server
    does.content = CONTENT + b"!"
    with pytest.raises(TransferError, match=f"begins with {DIGEST[:8]}, got [0-9a-f]{{8}}: not the released file"):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth", DIGEST[:8])
    assert [name for name in _kept(tmp_path) if not name.endswith(".lock")] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 404}, "answered 404 Not Found"),
        ({"status": 403}, "answered 403 Forbidden"),
        ({"status": 503}, "answered 503 Service Unavailable; what arrived is kept"),
        ({"hangs": True}, "said nothing for 0.2 s"),
        ({"kind": "text/html; charset=utf-8"}, "got a web page"),
        ({"content": b"<!DOCTYPE html><title>Sign in</title>"}, "got a web page"),
        ({"stated": False}, "does not state its size"),
    ],
)
def test_what_the_server_refuses_is_said(
    server: tuple[str, Behaviour], tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    address, does = server
    for name, value in changes.items():
        setattr(does, name, value)
    with pytest.raises(TransferError, match=words):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth", timeout_s=0.2)
    assert not (tmp_path / "w.pth").exists()
    assert len(does.asked) == (transfer.ATTEMPTS if changes in ({"status": 503}, {"hangs": True}) else 1)


def test_two_calls_do_not_write_one_file(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, _ = server
    folder = tmp_path / transfer.KEPT
    folder.mkdir()
    with (
        transfer.FileLock(folder / "w.pth.lock"),
        pytest.raises(TransferError, match="another process is fetching it"),
    ):
        fetch_file(f"{address}/w.pth", tmp_path / "w.pth")


def test_offline_names_the_link_to_open_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv(links.MIRROR, f"http://127.0.0.1:{port}")
    assert entry(["fetch", LINKED, "--weights", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "no connection (Connection refused)" in told.err
    assert f"open {weights_of(LINKED).page} by hand and put the file at {tmp_path / LINKED}" in told.err
    assert "0 of 1 files" in told.out


def test_pages_that_ask_a_person_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["fetch", BY_HAND, "--weights", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "Google Drive" in told
    assert "open https://github.com/leoxiaobin/deep-high-resolution-net.pytorch by hand" in told
    assert not tmp_path.joinpath(BY_HAND).exists()


def test_the_mirror_serves_any_file_flat_or_by_the_links_path(
    server: tuple[str, Behaviour], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, does = server
    monkeypatch.setenv(links.MIRROR, address + "/")
    assert entry(["fetch", BY_HAND, "--weights", str(tmp_path)]) == 0
    assert (tmp_path / BY_HAND).read_bytes() == CONTENT
    assert f"SHA-256 {DIGEST} (none is published" in capsys.readouterr().err
    does.only = "/hsfzxjy/models.storage/releases/download/HRNet-OCR/" + LINKED
    assert entry(["fetch", LINKED, BY_HAND, "--weights", str(tmp_path)]) == 0
    assert [path for path, _ in does.asked] == [f"/{BY_HAND}", f"/{LINKED}", does.only]
    told = capsys.readouterr()
    assert f"{BY_HAND}  there already" in told.err
    assert "2 of 2 files" in told.out


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "hrnet_w32_coco_256x192-c78dce93_20200708.pth"
    (tmp_path / name).write_bytes(b"mine")
    assert entry(["fetch", name, "--weights", str(tmp_path)]) == 1
    assert "expected a SHA-256 that begins with c78dce93" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == b"mine"


def test_several_at_once_are_told_apart_by_name(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, does = server
    entries = [_made(name) for name in ("a.pth", "folder/b.pth", "c.pth")]
    does.only = "/a.pth"
    shown: dict[str, int] = {}
    told: list[str] = []
    outcomes = files.fetch_all(
        entries,
        tmp_path,
        address,
        1.0,
        3,
        lambda name, now, total: shown.update({name: now}),
        lambda o: told.append(o.file),
    )
    assert [(o.file, o.kind) for o in outcomes] == [
        ("a.pth", "fetched"),
        ("folder/b.pth", "failed"),
        ("c.pth", "failed"),
    ]
    assert shown == {"a.pth": len(CONTENT)}
    assert sorted(told) == sorted(o.file for o in outcomes)


def _made(file: str) -> Weights:
    return Weights(
        file, "pose", "pose", "coco", "hrnet_w32", "V1", (), "me", f"https://host/x/{file}", "", None, "", (), ""
    )


def test_bad_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for words, text in (
        ([], "expected file names"),
        (["pose_hrnet_w32_256x193.pth"], "nearest: ['pose_hrnet_w32_256x192.pth']"),
        (["--suite", "smoke"], "evaluates no released checkpoint"),
        ([BY_HAND, "--timeout", "0"], "expected seconds above 0"),
    ):
        assert entry(["fetch", *words, "--weights", str(tmp_path)]) == 2
        assert text in capsys.readouterr().err
    monkeypatch.setenv(links.MIRROR, "ftp://host")
    assert entry(["fetch", BY_HAND, "--weights", str(tmp_path)]) == 2
    assert "HRNET_MIRROR: expected an address" in capsys.readouterr().err


def test_links_of_the_manifest() -> None:
    direct = [entry for entry in load_weights() if links.direct_link(entry)]
    assert len(direct) == 223
    assert all(links.page_of(entry).startswith("http") for entry in load_weights())
    assert links.addresses(weights_of(BY_HAND), None) == []


def test_a_broken_note_beside_a_part_is_no_obstacle(server: tuple[str, Behaviour], tmp_path: Path) -> None:
    address, _ = server
    folder = tmp_path / transfer.KEPT
    folder.mkdir()
    (folder / "w.pth.part").write_bytes(b"other")
    (folder / "w.pth.json").write_text(json.dumps([1]))
    fetch_file(f"{address}/w.pth", tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
