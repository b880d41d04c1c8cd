from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from recsys.data.tmdb.client import Clock, TmdbClient, TokenBucket, backoff, retry_after
from recsys.data.tmdb.settings import (
    Secret,
    TmdbKeyError,
    TmdbNotFoundError,
    TmdbRefusedError,
    TmdbSettings,
    TmdbUnavailableError,
)
from recsys.errors import DataError, OfflineError, RecsysError

pytestmark = pytest.mark.usefixtures("secret_free")

GOOD = {"id": 862, "title": "Movie 862", "overview": "An ærial plot."}


def test_a_movie_is_asked_for_once_with_all_that_is_wanted(
    client: TmdbClient, site: Any, time: Any, key: str
) -> None:
    assert client.movie("862") == GOOD
    assert site.asked == ["/3/movie/862"]
    assert site.queries[0] == {
        "api_key": [key],
        "language": ["en-US"],
        "append_to_response": ["credits,release_dates"],
    }
    assert time.slept == []


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (lambda b: b["answer"]({}, 429, {"Retry-After": "7"}), [7]),
        (lambda b: b["answer"]({}, 429), [0.25]),
        (lambda b: b["answer"]({}, 429, {"Retry-After": "soon"}), [0.25]),
        (lambda b: b["answer"]({}, 503, {"Retry-After": formatdate(1_700_000_009)}), [9]),
        (lambda b: b["answer"]({}, 500), [0.25]),
        (lambda b: b["answer"](b"<html>", 502), [0.25]),
        (lambda b: b["reset"], [0.25]),
        (lambda b: b["answer"](b'{"id": 862, "tit'), [0.25]),
        (lambda b: b["answer"](b""), [0.25]),
        (lambda b: b["answer"](GOOD, length=10), [0.25]),
        (lambda b: b["answer"](GOOD, length=-10), [0.25]),
        (lambda b: b["answer"]([GOOD]), [0.25]),
        (lambda b: b["answer"](b"[" * 100_000), [0.25]),
        (lambda b: b["answer"]({"id": 863}), [0.25]),
    ],
    ids=[
        "429 with seconds",
        "429 without",
        "429 with nonsense",
        "503 with a date",
        "500",
        "502",
        "reset",
        "truncated",
        "empty",
        "too short",
        "too long",
        "a list",
        "deep",
        "another movie",
    ],
)
def test_what_passes_is_asked_again(
    client: TmdbClient,
    site: Any,
    time: Any,
    behave: dict[str, Any],
    fault: Callable[[dict[str, Any]], Any],
    waits: list[float],
) -> None:
    site.movie(862, fault(behave))
    assert client.movie("862") == GOOD
    assert len(site.asked) == 2
    assert time.slept == waits


def test_a_server_that_says_nothing_is_asked_again(
    site: Any, time: Any, key: str, behave: dict[str, Any]
) -> None:
    site.movie(862, behave["hang"])
    settings = TmdbSettings(url=site.url, timeout=0.3, attempts=50)
    with TmdbClient(Secret(key), settings, time.clock()) as client:
        assert client.movie("862") == GOOD
    assert len(site.asked) > 1
    assert 0.25 in time.slept


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, TmdbKeyError),
        (403, TmdbKeyError),
        (404, TmdbNotFoundError),
        (422, TmdbRefusedError),
        (301, TmdbRefusedError),
    ],
)
def test_what_stays_is_asked_once(
    client: TmdbClient,
    site: Any,
    behave: dict[str, Any],
    key: str,
    status: int,
    error: type[RecsysError],
) -> None:
    message = {"status_code": 7, "status_message": f"Invalid API key: {key}"}
    headers = {"Location": f"{site.url}/movie/1"}
    site.movie(862, behave["answer"](message, status, headers))
    with pytest.raises(error, match=r"Invalid API key: \[TMDB_API_KEY\]") as refused:
        client.movie("862")
    assert len(site.asked) == 1
    assert key not in _everything(refused.value)


def test_attempts_come_to_an_end(
    client: TmdbClient, site: Any, time: Any, behave: dict[str, Any]
) -> None:
    site.movie(862, *[behave["answer"]({}, 500)] * 10)
    with pytest.raises(TmdbUnavailableError, match="in 4 attempts: status 500"):
        client.movie("862")
    assert len(site.asked) == 4
    assert time.slept == [0.25, 0.5, 1.0]


def test_a_server_that_asks_for_too_much_time_is_given_up(
    client: TmdbClient, site: Any, time: Any, behave: dict[str, Any]
) -> None:
    site.movie(862, behave["answer"]({}, 429, {"Retry-After": "3600"}))
    with pytest.raises(TmdbUnavailableError, match="asking to wait 3600 s"):
        client.movie("862")
    assert (len(site.asked), time.slept) == (1, [])


def test_no_error_holds_the_key_even_if_nobody_listens(key: str, time: Any) -> None:
    settings = TmdbSettings(url="http://127.0.0.1:9/3", attempts=2, timeout=0.5)
    with (
        TmdbClient(Secret(key), settings, time.clock()) as client,
        pytest.raises(TmdbUnavailableError) as refused,
    ):
        client.movie("862")
    assert key not in _everything(refused.value)
    assert "[TMDB_API_KEY]" in _everything(refused.value)
    assert refused.value.exit_code == 5


def _everything(error: BaseException) -> str:
    """The message, its causes, and what led to it."""
    text = "".join(traceback.format_exception(error))
    for link in (error.__cause__, error.__context__):
        text += _everything(link) if link is not None else ""
    return text + repr(error.args)


def test_logs_in_full_detail_hold_no_key(
    client: TmdbClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.movie("862")
    lines = [record.getMessage() for record in caplog.records if "GET" in record.getMessage()]
    assert lines
    assert all("[TMDB_API_KEY]" in line and key not in line for line in lines)
    assert key not in repr(client) + repr(vars(client))


def test_a_closed_client_leaves_logging_as_it_was(key: str) -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    before = list(logger.filters)
    with TmdbClient(Secret(key)):
        assert len(logger.filters) == len(before) + 1
    assert logger.filters == before


def test_an_access_token_goes_into_the_header(site: Any, time: Any) -> None:
    token = "eyJhbGciOiJI.eyJhdWQiOiIx.c2lnbmF0dXJl"
    settings = TmdbSettings(url=site.url, rate=1e6)
    with TmdbClient(Secret(token), settings, time.clock()) as client:
        client.movie("862")
    assert "api_key" not in site.queries[0]
    assert site.headers[0]["Authorization"] == f"Bearer {token}"


@pytest.mark.parametrize("id_", ["", "0", "../1", "862?x", "１", "tt0114709"])
def test_only_ids_are_asked_for(client: TmdbClient, site: Any, id_: str) -> None:
    with pytest.raises(DataError, match="is no TMDB id"):
        client.movie(id_)
    assert site.asked == []


def test_offline_nothing_is_asked(
    client: TmdbClient, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_OFFLINE", "1")
    with pytest.raises(OfflineError, match="RECSYS_OFFLINE is set"):
        client.movie("862")
    assert site.asked == []


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TMDB_API_KEY", f" {key}\n")
    assert Secret.from_environment().parameters == {"api_key": key}
    monkeypatch.setenv("TMDB_API_KEY", "")
    with pytest.raises(TmdbKeyError, match=r"there is no key(.|\n)*set TMDB_API_KEY") as refused:
        Secret.from_environment()
    assert refused.value.exit_code == 2
    with pytest.raises(TmdbKeyError, match="malformed") as refused:
        Secret("a key\nwith lines")
    assert "lines" not in str(refused.value)


def test_requests_keep_to_the_rate(time: Any) -> None:
    bucket = TokenBucket(rate=2.0, burst=3, clock=time.clock())
    start = time.now
    moments = []
    for _ in range(7):
        bucket.take()
        moments.append(time.now - start)
    assert moments == pytest.approx([0, 0, 0, 0.5, 1.0, 1.5, 2.0], abs=1e-6)
    time.now += 100
    time.slept.clear()
    for _ in range(4):
        bucket.take()
    assert time.slept == pytest.approx([0.5], abs=1e-6)
    time.now -= 1000  # a clock that is set back stops nobody
    bucket.take()
    assert max(time.slept) <= 0.5 + 1e-6


def test_waits_double_within_bounds() -> None:
    assert [backoff(n, 0.5, 3.0, 1.0) for n in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff(3, 0.5, 3.0, 0.0) == 1.0
    chances = {Clock().chance() for _ in range(10)}
    assert len(chances) == 10


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "1.5", "²", "Mon, 99 Foo 99999"])
def test_a_retry_after_that_says_nothing(header: str | None) -> None:
    assert retry_after(header, 0.0) is None


def test_a_retry_after_in_the_past_asks_for_nothing() -> None:
    assert retry_after(formatdate(5), 1_700_000_000.0) == 0.0
    assert retry_after(" 12 ", 0.0) == 12.0
