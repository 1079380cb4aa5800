"""What answers behind an ML node once a model is loaded: vLLM's own API, as far as a client sees it.

Where it is reached: gonka-contract 4.1; its arguments: 1.8.
"""

from __future__ import annotations

import json
import time
import uuid
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.lab.standins.jsons import Json

NESTED_SINCE = (3, 0, 12)
MAX_LENGTH = 40960
Params = dict[str, Any]


def argument(args: Sequence[str], name: str, default: str) -> str:
    """The value that follows `name`; the ML node knows no `name=value` (gonka-contract 1.8)."""
    return next((value for key, value in pairwise(args) if key == name), default)


def number(args: Sequence[str], name: str, default: float) -> float:
    """The same as a number; what is none counts as the default."""
    try:
        return float(argument(args, name, str(default)))
    except ValueError:
        return default


class Vllm:
    """One served model."""

    def __init__(self, model: str, args: Sequence[str], version: tuple[int, ...]) -> None:
        self.model, self.args, self.nested = model, list(args), version >= NESTED_SINCE
        self.created = int(time.time())
        self.routes = web.Routes(web.detail)
        self.routes.add("GET", "/health", lambda _request: web.Reply(200, b""))
        self.routes.add("GET", "/v1/models", self.models)
        self.routes.add("POST", "/v1/chat/completions", self.chat)
        self.routes.add("POST", "/v1/completions", self.completion)

    def models(self, _request: web.Request) -> web.Reply:
        """The one model."""
        about = {"id": self.model, "object": "model", "created": self.created, "owned_by": "vllm"}
        length = int(number(self.args, "--max-model-len", MAX_LENGTH))
        about |= {"root": self.model, "parent": None, "max_model_len": length, "permission": []}
        return web.as_json({"object": "list", "data": [about]})

    def chat(self, request: web.Request) -> web.Reply:
        """Continue a conversation."""
        params, refused = self._params(request, "messages")
        if params is None:
            return refused
        prompt = " ".join(str(item.get("content", "")) for item in params["messages"])
        text, usage, finish = self._said(prompt, params)
        message: Params = {"role": "assistant", "content": text, "reasoning_content": None, "tool_calls": []}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        about = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion"}
        return self._answered(about, {**choice, "stop_reason": None}, usage, {"prompt_logprobs": None})

    def completion(self, request: web.Request) -> web.Reply:
        """Continue a text."""
        params, refused = self._params(request, "prompt")
        if params is None:
            return refused
        text, usage, finish = self._said(str(params["prompt"]), params)
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish, "stop_reason": None}
        about = {"id": f"cmpl-{uuid.uuid4().hex}", "object": "text_completion"}
        return self._answered(about, {**choice, "prompt_logprobs": None}, usage, {})

    def _answered(self, about: Params, choice: Params, usage: Params, extra: Params) -> web.Reply:
        head = {**about, "created": int(time.time()), "model": self.model, "choices": [choice]}
        return web.as_json({**head, "usage": {**usage, "prompt_tokens_details": None}, **extra})

    def _said(self, prompt: str, params: Params) -> tuple[str, Params, str]:
        """A text that follows from the question alone; a word counts as a token."""
        words = f"This is a rehearsal: {self.model} was asked {len(prompt.split())} words.".split()
        limit = params.get("max_completion_tokens") or params.get("max_tokens") or len(words)
        said, asked = words[: int(limit)], len(prompt.split())
        usage = {"prompt_tokens": asked, "total_tokens": asked + len(said), "completion_tokens": len(said)}
        return " ".join(said), usage, "stop" if len(said) == len(words) else "length"

    def _params(self, request: web.Request, needed: str) -> tuple[Params | None, web.Reply]:
        """The request's body, or what vLLM answers to one that it does not take."""
        params = self._body(request)
        nothing = web.Reply(200, b"")
        if params is None or not isinstance(
            params.get(needed), list if needed == "messages" else (str, list)
        ):
            return None, self._error(f"Field required: {needed}", "BadRequestError", 400)
        if params.get("model", self.model) != self.model:
            return None, self._error(f"The model `{params['model']}` does not exist.", "NotFoundError", 404)
        return params, nothing

    @staticmethod
    def _body(request: web.Request) -> Params | None:
        try:
            value: Json = json.loads(request.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def _error(self, message: str, kind: str, code: int) -> web.Reply:
        about = {"message": message, "type": kind, "param": None, "code": code}
        # newer releases put the error into an object of its own
        return web.as_json({"error": about} if self.nested else {"object": "error", **about}, code)
