"""The HTTP API as the command line sees it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Any, Final
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

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, *names: str, **query: str | int | None) -> Any:
        """The document at `/v1/` and the names; what is None isn't asked for."""
        return self._ask("GET", names, params={k: v for k, v in query.items() if v is not None})

    def post(self, *names: str, document: dict[str, Any]) -> Any:
        """The answer to the document; fields that are None aren't sent."""
        sent = {k: v for k, v in document.items() if v is not None}
        return self._ask("POST", names, json=sent, headers=_actor())

    def _ask(self, method: str, names: Sequence[str], **parts: Any) -> Any:
        url = "/".join([self.url, "v1", *(quote(name, safe="") for name in names)])
        try:
            response = httpx.request(method, url, trust_env=False, timeout=TIMEOUT_S, **parts)
        except httpx.InvalidURL as exc:
            raise ConfigurationInvalid(f"{self.url!r} isn't the URL of a service: {exc}") from exc
        except httpx.TimeoutException as exc:
            raise ServiceUnavailable(f"the service at {self.url} didn't answer in time") from exc
        except httpx.TransportError as exc:
            raise ServiceUnavailable(f"the service at {self.url} can't be reached", hint=_START_HINT) from exc
        document = _json(response)
        if response.is_success and document is not None:
            return document
        raise self._problem(response, document)

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
        kind = ServiceUnavailable if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else ServiceRefused
        return kind(message, hint=document.get("hint"), violations=violations)


def connect() -> Client:
    """A client of the service that the settings name."""
    return Client(bootstrap.load_settings().url)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _actor() -> dict[str, str]:
    """The user's name, as the audit log is to have it."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        return {}
    return {"X-Actor": name} if name.isascii() and name.isprintable() else {}
