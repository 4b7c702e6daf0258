"""Who may ask for what: methods, hosts, sites, and paths that try to leave the folder."""

import asyncio
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Scope

from experiments.serve.site import Site
from tests.test_experiments.test_serve.serving import Server, serving

FIRST = "20240101T000000Z-first"
ESCAPES = (
    "/runs/../../secret/run.json",
    "/runs/..%2f..%2fsecret",
    "/runs/..%2F..%2Fsecret/files/run.json",
    "/runs/%2e%2e/%2e%2e/secret/run.json",
    "/runs/%252e%252e%252fsecret",
    "/runs/..%5c..%5csecret",
    "/runs/..\\..\\secret",
    f"/runs/{FIRST}/../../secret/run.json",
    f"/runs/{FIRST}/files/../../../secret/run.json",
    f"/runs/{FIRST}/files/..%2f..%2f..%2fsecret%2frun.json",
    f"/runs/{FIRST}/files/%2e%2e",
    f"/runs/{FIRST}/files/leak.parquet",
    f"/runs/{FIRST}/files/run.json%00.parquet",
    f"/runs/{FIRST}//files//run.json",
    f"/runs/{FIRST}%2ffiles%2Frun.json",
    "/runs//etc/passwd",
    "//etc/passwd",
    "/assets/..%2f..%2f..%2fpyproject.toml",
    "/assets/../site.py",
    "/sweeps/../20240101T000000Z-first",
    "/sweeps/%2e%2e/20240101T000000Z-first/progress.json",
    "/runs/20240113T000000Z-outside/files/run.json",
    "/runs/20240113T000000Z-outside/files/equity.parquet",
    "/runs/20240116T000000Z-linked/files/run.json",
    "/%c0%ae%c0%ae/secret",
    "/runs/．．/secret".encode().decode("latin-1"),
)


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leaves_the_folder(server: Server, path: str):
    data = server.send(
        b"GET "
        + path.encode("latin-1")
        + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    status = int(data.split(b" ", 2)[1])
    assert status in (400, 404), data[:200]
    assert b"secret-run" not in data


async def _asked(site: Site, raw: bytes, path: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": raw, "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1:1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
    }  # fmt: skip
    await site.asgi(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return int(sent[0]["status"]), body


PIECES = st.sampled_from(
    ["..", ".", "runs", FIRST, "files", "run.json", "secret", "%2e%2e", "%2f", "%5c", "\\", "/", "",
     "20240113T000000Z-outside", "leak.parquet", "sweeps", "assets", "equity.svg", "%00", "~", "*"]
) | st.text(max_size=6)  # fmt: skip


@pytest.fixture(scope="module")
def site(mixed: Path) -> Site:
    made = Site(mixed)
    made.run_index.listed(patience_seconds=20)
    return made


@given(
    pieces=st.lists(PIECES, max_size=8), separator=st.sampled_from(["/", "%2f", "\\", "//", "/./"])
)
def test_any_path_is_answered_and_none_shows_what_lies_outside(
    site: Site, pieces: list[str], separator: str
):
    asked = "/" + separator.join(pieces)
    raw = quote(asked, safe="/%\\:@*~").encode("ascii")
    path = unquote(raw.decode("ascii"))
    status, body = asyncio.run(_asked(site, raw, path))
    assert status in (200, 400, 404, 422)
    assert b"secret-run" not in body
    if status == 200:
        assert ".." not in path
        assert "\\" not in path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_but_reading_is_answered(server: Server, method: str):
    answer = server.ask("/", method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_get_without_its_body(server: Server):
    asked, told = (
        server.ask(f"/runs/{FIRST}/files/run.json"),
        server.ask(f"/runs/{FIRST}/files/run.json", "HEAD"),
    )
    assert told.status == 200
    assert told.body == b""
    assert told.headers["content-length"] == str(len(asked.body))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8765", 200),
        ("127.9.9.9", 200),
        ("evil.example", 421),
        ("evil.example:8765", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("10.0.0.5:8765", 421),
        ("", 421),
        ("127.0.0.1:8765@evil.example", 421),
    ],
)
def test_only_the_own_address_is_answered(server: Server, host: str, status: int):
    assert server.ask("/sweeps", headers={"Host": host}).status == status


def test_a_request_names_one_host(server: Server):
    for hosts in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        data = server.send(b"GET /sweeps HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
        assert int(data.split(b" ", 2)[1]) in (400, 421)


def test_a_server_for_the_network_is_asked_by_any_address_in_numbers_and_no_other_name(mixed: Path):
    site = Site(mixed, names=("0.0.0.0",), is_local=False)
    for host, is_own in (("10.0.0.5:80", True), ("evil.example", False), ("localhost", True)):
        assert site.asgi._is_own(host) is is_own


@pytest.mark.parametrize(
    ("site_of", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
def test_pages_of_other_sites_read_nothing(server: Server, site_of: str, mode: str, status: int):
    headers = {"Sec-Fetch-Site": site_of, "Sec-Fetch-Mode": mode}
    assert server.ask("/sweeps", headers=headers).status == status


def test_every_answer_has_the_headers_of_security(server: Server):
    for path in ("/", "/nothing", f"/runs/{FIRST}", "/assets/list.js", "/runs/../x", "/?page=x"):
        headers = server.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "set-cookie" not in headers
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    assert "unsafe-inline" not in server.ask("/").headers["content-security-policy"]


def test_what_is_no_request_ends_the_connection(server: Server):
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: " + b"b" * 70_000,
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
    ):
        found = server.send(data)
        assert not found or int(found.split(b" ", 2)[1]) in (400, 421, 431)
    assert server.ask("/sweeps").status == 200


def test_no_request_writes_into_the_folder(run_folder: Path, tmp_path: Path):
    from tests.test_experiments.test_serve.run_folders import copied

    runs = tmp_path / "runs"
    for name in ("20240101T000000Z-a", "20240102T000000Z-b"):
        copied(run_folder, runs, name, name=name[-1])
    before = sorted((str(path), path.stat().st_mtime_ns) for path in runs.rglob("*"))
    with serving(runs) as server:
        for path in (
            "/", "/sweeps", "/runs/20240101T000000Z-a", "/runs/20240101T000000Z-a/equity.svg",
            "/compare?run=20240101T000000Z-a&run=20240102T000000Z-b", "/runs/20240101T000000Z-a/files",
        ):  # fmt: skip
            assert server.ask(path).status == 200
    assert sorted((str(path), path.stat().st_mtime_ns) for path in runs.rglob("*")) == before
