"""The choice of a language."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reward_llm.console.frame import Area, Frame
from reward_llm.console.visit import local_path
from reward_llm.console.wording import Language

router = APIRouter()
AREA = Area(name="languages", router=router)


@router.get("/language/{language}")
async def choose(language: Language, request: Request, to: str = "/") -> Response:
    """Keep a language and go back."""
    frame: Frame = request.app.state.frame
    response = RedirectResponse(local_path(to), int(HTTPStatus.SEE_OTHER))
    frame.cookies.language.write(response, language)
    return response
