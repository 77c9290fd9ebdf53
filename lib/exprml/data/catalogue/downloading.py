"""One file over https: with a progress bar, restarted where it broke off, and hosts that are offline.

pooch begins a broken download anew, which for gigabytes will not do; hence requests.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from exprml.base.errors import DownloadError, NotAvailableError
from exprml.data.catalogue.checking import keep_safe

if TYPE_CHECKING:
    from requests import Response

CONNECT_SECONDS, READ_SECONDS = 5, 30
ANSWER_SECONDS = 6  # name look-up, all addresses of a host and the first byte together
_SLACK = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_offline: dict[str, str] = {}


def download(url: str, part: Path, *, limit: int | None = None, is_mirror: bool = False) -> None:
    """Download `url` to `part`; go on where an earlier attempt broke off.

    Parameters
    ----------
    url : str
        https; http only for a mirror on this machine.
    part : pathlib.Path
        Kept when the connection breaks, deleted when the server or the disk refuses.
    limit : int, optional
        Bytes of the content: a longer answer is refused.
    is_mirror : bool
        Whether a mirror on this machine may use http.

    Raises
    ------
    NotAvailableError
        If the host cannot be reached (and from then on, at once, for every file of that host).
    DownloadError
        If the address, or one that it redirects to, is not https (it is not asked), or the answer is refused.
    """
    _check_address(url, is_mirror)
    host = urlsplit(url).netloc
    if host in _offline:
        raise NotAvailableError(f"{host} is offline ({_offline[host]})")
    start = part.stat().st_size if part.is_file() else 0
    with _answer(url, host, start, is_mirror) as answer:
        if start and answer.status_code == 416:  # nothing left to send: the part is no part of this file
            part.unlink()
            return download(url, part, limit=limit, is_mirror=is_mirror)
        if answer.status_code not in (200, 206):
            raise NotAvailableError(f"{url} answers {answer.status_code} {answer.reason}")
        start = start if _goes_on(answer, start) else 0
        with keep_safe(part, part.name):
            _receive(answer, part, start, None if limit is None else limit + _SLACK, host)
    return None


def _check_address(url: str, is_mirror: bool) -> None:
    found = urlsplit(url)
    local = is_mirror and found.scheme == "http" and found.hostname in _LOOPBACK
    if found.scheme != "https" and not local:
        raise DownloadError(f"{url}: only https addresses are fetched")


def _answer(url: str, host: str, start: int, is_mirror: bool) -> Response:
    """Return the opened answer; asked in a thread, since a name look-up cannot be given a time limit."""
    import requests

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    box: queue.SimpleQueue = queue.SimpleQueue()

    def check_redirect(answer: Response, *_: Any, **__: Any) -> None:  # called before it is followed
        if answer.is_redirect:
            _check_address(urljoin(answer.url, answer.headers["location"]), is_mirror)

    def ask() -> None:
        try:
            timeout, hooks = (CONNECT_SECONDS, READ_SECONDS), {"response": check_redirect}
            box.put(requests.get(url, headers=headers, stream=True, timeout=timeout, hooks=hooks))
        except (OSError, ValueError) as error:  # requests' errors are OSErrors, bad addresses ValueErrors
            box.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = box.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        found = OSError(f"no answer within {ANSWER_SECONDS} s")
    if isinstance(found, DownloadError):
        raise found
    if isinstance(found, Exception):
        _offline[host] = type(found).__name__ if type(found) is not OSError else str(found)
        raise NotAvailableError(f"{host} is offline ({_offline[host]})") from found
    return found


def _goes_on(answer: Response, start: int) -> bool:
    stated = answer.headers.get("Content-Range", "")
    return answer.status_code == 206 and stated.startswith(f"bytes {start}-")


def _receive(answer: Response, part: Path, start: int, limit: int | None, host: str) -> None:
    from requests import RequestException
    from tqdm import tqdm

    total = int(answer.headers.get("Content-Length", 0)) + start or None
    name = os.path.basename(urlsplit(answer.url).path)
    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name, leave=False,
               file=sys.stderr, disable=not sys.stderr.isatty())  # fmt: skip
    try:
        with open(part, "ab" if start else "wb") as stream, bar:
            for block in answer.iter_content(1 << 16):
                stream.write(block)
                bar.update(len(block))
                if limit is not None and stream.tell() > limit:
                    raise DownloadError(f"{answer.url}: longer than the {limit - _SLACK} bytes expected")
    except RequestException as error:
        _offline[host] = f"broke off: {type(error).__name__}"
        raise NotAvailableError(f"{host} broke off after {part.stat().st_size} bytes; try again") from error
    except DownloadError:
        part.unlink(missing_ok=True)
        raise
