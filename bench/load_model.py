"""The model of a load run: calls the tool that a message asks for, else answers in words over some seconds.

`python -m bench.load_model --port P`. A message asks by a line of its own, `CALL NAME ARGUMENTS` (JSON).
"""

from __future__ import annotations

import argparse
import re
from typing import Any

import orjson
import uvicorn

from tests.servers.gemini import GeminiServer, Request
from tests.servers.gemini_answers import Answer, reply
from tests.servers.gemini_answers import call as call_part

_CALL = re.compile(r"^CALL (\w+) (\{.*\})$", re.MULTILINE)


def asking(name: str, arguments: dict[str, Any]) -> str:
    """The line of a message that makes the model call a tool."""
    return f"\nCALL {name} {orjson.dumps(arguments).decode()}"


class LoadModel:
    """Answers each request: `first` seconds to the first word, then `words` of them `pause` seconds apart."""

    def __init__(self, *, first: float, words: int, pause: float) -> None:
        steps: list[str | float] = [first]
        for number in range(words):
            steps += [f"word {number} ", pause]
        self._first = first
        self._words = reply(*steps[:-1], usage=(900, 60, 0))

    def __call__(self, request: Request) -> Answer:
        found = None if request.tool_results else _CALL.search(request.last_user_text)
        if found is None:
            return self._words
        return reply(self._first, call_part(found[1], orjson.loads(found[2])), usage=(900, 40, 0))


def main() -> None:
    """Serves until it is stopped; nothing is checked or kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first", type=float, default=0.4)
    parser.add_argument("--words", type=int, default=20)
    parser.add_argument("--pause", type=float, default=0.25)
    arguments = parser.parse_args()
    server = GeminiServer(api_key=None, checks=False)
    server.always(LoadModel(first=arguments.first, words=arguments.words, pause=arguments.pause))
    uvicorn.Server(
        uvicorn.Config(
            server,
            host="127.0.0.1",
            port=arguments.port,
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=75,
            backlog=4096,
        )
    ).run()


if __name__ == "__main__":
    main()
