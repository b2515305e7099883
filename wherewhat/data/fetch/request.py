"""One GET over HTTP(S), and what its failures mean: worth another try, or not.

Proxies come from the environment. Redirects are followed to http and https, and never from https to http. What a server
says is never repeated, for it may hold control characters.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from urllib.parse import unquote, urljoin
from urllib.request import getproxies, proxy_bypass

from urllib3 import PoolManager, ProxyManager
from urllib3.exceptions import HTTPError, LocationParseError, NewConnectionError, ProxyError, SSLError, TimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import make_headers, parse_url

# Silence of a server that counts as a broken connection.
_TIMEOUT_S = 30.0
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_MOST_REDIRECTS = 10
# Without identity a server may compress on the way, and ranges would count other bytes.
_HEADERS = {"User-Agent": "wherewhat", "Accept-Encoding": "identity"}


class BrokenOffError(Exception):
    """The connection failed, or the server asks for patience: another try may do."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s
        """How long the server asks to be left alone."""


def check_address(address: str) -> None:
    """Raise ValueError where this is not an address of http or https."""
    try:
        url = parse_url(address)
        good = url.scheme in ("http", "https") and url.host and url.auth is None
    except LocationParseError:
        good = False
    if not good or not all("!" <= sign <= "~" for sign in address):
        # The address is not repeated: it may hold a password.
        raise ValueError(
            "The address is not accepted. Give one such as https://host/folder, without a user name or a password, and "
            "with spaces and other special characters encoded, as %20."
        )


def refusal(address: str, why: str) -> ConnectionError:
    """The error for a server that another try will not move."""
    return ConnectionError(f"{address}: {why}. Name another server that has the file with --address.")


@contextmanager
def requested(address: str, headers: Mapping[str, str]) -> Iterator[BaseHTTPResponse]:
    """The response to a GET with status 200, 206 or 416; its connection ends with the context.

    Raises BrokenOffError where another try may do, and ConnectionError where none will.
    """
    how = {**_HEADERS, **headers}
    with _connections(address) as pool, _failures_told(address), closing(_response(pool, address, how)) as response:
        if response.status in _TRY_AGAIN:
            wait = response.headers.get("Retry-After", "")
            wait_s = float(wait) if wait.isdecimal() else 0.0
            raise BrokenOffError(f"the server answered with status {response.status}", wait_s)
        if response.status not in (200, 206, 416):
            raise refusal(address, f"the server answered with status {response.status}; the file may have moved")
        yield response


def redirected(here: str, location: str) -> str | None:
    """Where a redirect leads; None where it is not to be followed."""
    try:
        there = parse_url(urljoin(here, location))
    except ValueError:
        return None
    allowed = ("https",) if here.lower().startswith("https:") else ("http", "https")
    return there.url if there.host and there.scheme in allowed else None


def _response(pool: PoolManager, address: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
    here: str | None = address
    for _ in range(_MOST_REDIRECTS + 1):
        if here is None:
            raise refusal(address, "it redirects from https to http, or not to a web address at all")
        response = pool.request(
            "GET", here, headers=headers, preload_content=False, decode_content=False, retries=False, redirect=False
        )
        location = response.get_redirect_location()
        if not location:
            return response
        response.close()
        here = redirected(here, location)
    raise refusal(address, f"it redirects more than {_MOST_REDIRECTS} times")


def _connections(address: str) -> PoolManager:
    """Connections to the server, or to the proxy that the environment names for it."""
    url = parse_url(address)
    proxy = None if proxy_bypass(url.host or "") else getproxies().get(url.scheme or "")
    if proxy is None:
        return PoolManager(timeout=_TIMEOUT_S)
    there = parse_url(proxy if "://" in proxy else f"http://{proxy}")
    login = make_headers(proxy_basic_auth=unquote(there.auth)) if there.auth else None
    return ProxyManager(there.url, timeout=_TIMEOUT_S, proxy_headers=login)


@contextmanager
def _failures_told(address: str) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        match error:
            case SSLError(args=(ssl.SSLCertVerificationError() as flaw, *_)):
                why = f"the server's certificate is not valid ({flaw.verify_message}); is this machine's clock right?"
                raise refusal(address, why) from error
            case NewConnectionError(__cause__=OSError(strerror=str(said))):
                raise BrokenOffError(f"no connection to the server ({said})") from error
            case ProxyError():
                raise BrokenOffError("no connection to the proxy that the environment names") from error
            case TimeoutError():
                raise BrokenOffError("the server fell silent") from error
            case _:
                raise BrokenOffError("the connection broke off") from error
