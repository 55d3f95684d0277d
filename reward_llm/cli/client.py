"""The HTTP API as the command line sees it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Final
from urllib.parse import quote

import httpx

from reward_llm import bootstrap
from reward_llm.errors import ConfigurationInvalid, ServiceRefused, ServiceUnavailable, Violation

TIMEOUT_S: Final = 180.0
"""Longer than a model is given for one goal."""
_START_HINT: Final = "start it with `reward-llm serve --dev`, or say with REWARD_LLM_URL where it runs"


class Client:
    """Asks the service and gives back the documents that it answers with.

    All methods raise ServiceUnavailable if it can't be reached or is out of order, and ServiceRefused with its
    problem document's detail, hint and violations if it refuses.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._auth = _Bearer(token) if token else None

    def get(self, *names: str, **query: str | int | None) -> Any:
        """The document at `/v1/` and the names; what is None isn't asked for."""
        return self._ask("GET", names, params={k: v for k, v in query.items() if v is not None})

    def post(self, *names: str, document: Mapping[str, Any], if_match: str | None = None) -> Any:
        """The answer to the document, if `if_match` is the version now; fields that are None aren't sent."""
        sent = {k: v for k, v in document.items() if v is not None}
        return self._ask("POST", names, json=sent, headers=_headers(if_match))

    def patch(self, *names: str, document: Mapping[str, Any], if_match: str) -> Any:
        """The answer to a change of the version that `if_match` names; None is sent as null."""
        return self._ask("PATCH", names, json=dict(document), headers=_headers(if_match))

    def put(
        self, *names: str, document: Mapping[str, Any], if_match: str | None, timeout_s: float = TIMEOUT_S
    ) -> Any:
        """The answer to the document, if `if_match` is the version now; None says that there is none yet."""
        headers = _headers(if_match) if if_match is not None else {**_headers(None), "If-None-Match": "*"}
        return self._ask("PUT", names, json=dict(document), headers=headers, timeout=timeout_s)

    def follow(self, *names: str, document: Mapping[str, Any], on_progress: Callable[[int, int], None]) -> Any:
        """The answer to the document, of which the service tells how far it is, such as 3 of 40."""
        sent = {k: v for k, v in document.items() if v is not None}
        parts: dict[str, Any] = {"json": sent, "headers": _headers(None) | {"Accept": "application/x-ndjson"}}
        with (
            self._reached(),
            httpx.stream(
                "POST", self._url(names), auth=self._auth, trust_env=False, timeout=TIMEOUT_S, **parts
            ) as response,
        ):
            if not response.is_success:
                response.read()
                raise self._problem(response, _json(response))
            for line in map(json.loads, response.iter_lines()):
                if "done" not in line:
                    return self._outcome(response, line)
                on_progress(line["done"], line["of"])
        raise ServiceUnavailable(f"the answer of the service at {self.url} broke off")

    def download(self, *names: str, into: BinaryIO, **query: str | int | None) -> None:
        """Write the document at `/v1/` and the names as it comes; what is None isn't asked for."""
        params = {k: v for k, v in query.items() if v is not None}
        options: dict[str, Any] = {"auth": self._auth, "trust_env": False, "timeout": TIMEOUT_S, "params": params}
        with self._reached(), httpx.stream("GET", self._url(names), **options) as response:
            if not response.is_success:
                response.read()
                raise self._problem(response, _json(response))
            into.writelines(response.iter_bytes())

    def _outcome(self, response: httpx.Response, line: Mapping[str, Any]) -> Any:
        if "result" in line:
            return line["result"]
        raise self._problem(response, line.get("problem"))

    def _ask(self, method: str, names: Sequence[str], **parts: Any) -> Any:
        with self._reached():
            options = {"auth": self._auth, "trust_env": False, "timeout": TIMEOUT_S, **parts}
            response = httpx.request(method, self._url(names), **options)
        document = _json(response)
        if response.is_success and document is not None:
            return document
        raise self._problem(response, document)

    def _url(self, names: Sequence[str]) -> str:
        return "/".join([self.url, "v1", *(quote(name, safe="") for name in names)])

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.InvalidURL as exc:
            raise ConfigurationInvalid(f"{self.url!r} isn't the URL of a service: {exc}") from exc
        except httpx.TimeoutException as exc:
            raise ServiceUnavailable(f"the service at {self.url} didn't answer in time") from exc
        except httpx.TransportError as exc:
            raise ServiceUnavailable(f"the service at {self.url} can't be reached", hint=_START_HINT) from exc

    def _problem(self, response: httpx.Response, document: Any) -> ServiceRefused | ServiceUnavailable:
        if not isinstance(document, dict) or "title" not in document:
            return ServiceRefused(
                f"{self.url} answered {response.status_code}, but not as this service does",
                hint="is it another program's address?",
            )
        message = document.get("detail") or document["title"]
        violations = [
            Violation(path=v["path"], code=v["code"], message=v["message"]) for v in document.get("violations") or ()
        ]
        violations += [
            Violation(
                path=d["path"], code="differs", message=f"you sent {_plain(d['yours'])}, it is {_plain(d['current'])}"
            )
            for d in document.get("differences") or ()
        ]
        hint = document.get("hint")
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return ServiceUnavailable(message, hint=hint, violations=violations)
        return ServiceRefused(message, hint=hint, violations=violations, problem=document)


def connect() -> Client:
    """A client of the service that the settings name, which shows their token."""
    settings = bootstrap.load_settings()
    return Client(settings.url, settings.token.get_secret_value() if settings.token else None)


class _Bearer(httpx.Auth):
    """Shows a token with every request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _headers(if_match: str | None) -> dict[str, str]:
    return {**_actor(), **({"If-Match": f'"{if_match}"'} if if_match is not None else {})}


def _actor() -> dict[str, str]:
    """The user's name, as the audit log is to have it."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        return {}
    return {"X-Actor": name} if name.isascii() and name.isprintable() else {}
