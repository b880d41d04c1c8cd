from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from recsys.data.tmdb.client import Clock, TmdbClient
from recsys.data.tmdb.settings import Secret, TmdbSettings

KEY = "0123456789abcdef/+0123456789abcd"

Behaviour = Callable[["Handler"], None]


def movie_document(id_: int) -> dict[str, Any]:
    return {"id": id_, "title": f"Movie {id_}", "overview": "An ærial plot."}


def answer(
    document: Any, status: int = 200, headers: dict[str, str] | None = None, length: int = 0
) -> Behaviour:
    """Sends a document; ``length`` is added to its true length in the header."""

    def send(handler: Handler) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) + length))
        handler.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return send


def reset(handler: Handler) -> None:
    """Breaks the connection off."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    handler.close_connection = True


def hang(handler: Handler) -> None:
    """Says nothing until the test is over."""
    handler.site.over.wait(30)
    handler.close_connection = True


@dataclass
class Site:
    """A web server that does as it is told, and what it was asked.

    Attributes:
        plan: path to what it does, request after request; afterwards it behaves.
        asked: the paths, in order.
        queries: what came with them.
        headers: of the requests.
        over: set when the test is.
        arrived: released once a request.
    """

    url: str = ""
    plan: dict[str, list[Behaviour]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def movie(self, id_: int, *behaviours: Behaviour) -> None:
        self.plan[f"/3/movie/{id_}"] = list(behaviours)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.site.asked.append(parts.path)
        self.site.queries.append(parse_qs(parts.query))
        self.site.headers.append(dict(self.headers.items()))
        self.site.arrived.release()
        planned = self.site.plan.get(parts.path)
        if planned:
            planned.pop(0)(self)
        else:
            answer(movie_document(int(parts.path.rsplit("/", 1)[-1])))(self)

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server that answers for TMDB, and misbehaves as planned."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "RECSYS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Handler,), {"site": site}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/3"
    yield site
    site.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class FakeTime:
    """A clock that moves when somebody sleeps."""

    now: float = 1_700_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep, chance=lambda: 0.0)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def key() -> str:
    """A key with characters that addresses escape."""
    return KEY


@pytest.fixture
def client(site: Site, time: FakeTime) -> Iterator[TmdbClient]:
    """A client of that server, which sleeps without waiting."""
    settings = TmdbSettings(url=site.url, timeout=30, rate=1e6, burst=1000, attempts=4)
    with TmdbClient(Secret(KEY), settings, time.clock()) as client:
        yield client


@pytest.fixture
def behave() -> dict[str, Any]:
    """What a server can be told to do."""
    return {"answer": answer, "reset": reset, "hang": hang, "movie": movie_document}


@pytest.fixture
def secret_free(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Afterwards, neither a file of the test nor anything logged holds the key."""
    caplog.set_level("DEBUG")
    yield
    logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in (KEY, KEY.replace("/", "%2F").replace("+", "%2B")):
        assert form not in logged
        assert form.encode() not in written
