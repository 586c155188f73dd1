"""One turn is one trace: over the chat, tools and events functions, their stores, and the broker between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.functions.test_targets import started
from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import call, hang, reply
from tests.servers.otlp import CollectedSpan, OtlpServer, otlp_server, tree
from tests.servers.ports import wait_for
from tests.servers.pubsub import RESUME_TOPIC, PubSubServer

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TURN = "invoke_agent the0-agent"
SAVE = call("save_artifact", {"filename": "a.md", "content": "MARK-content"})
SUGGEST = call("suggest_bot", {"suggestion": "MARK-suggestion"})


@dataclass(frozen=True, slots=True)
class Rig:
    """The chat function as it runs in the cloud, beside the others, all collected."""

    chat: Agent
    collected: OtlpServer


@contextmanager
def rig(gemini: GeminiServer, pubsub: PubSubServer, folder: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        collected = stack.enter_context(otlp_server())
        shared = {
            "DATA_DIR": str(folder / "data"),
            "GEMINI_API_KEY": gemini.api_key or "",
            "GEMINI_BASE_URL": gemini.url,
            "SERVICE_AUTH": "secret",
            **pubsub.settings(),
        }
        urls = {}
        for target in ("tools", "events"):
            (folder / target).mkdir()
            variables = {**shared, **collected.settings(target)}
            if target == "tools":
                # gunicorn ends a worker by the signal itself: what waits for a batch must be out by then.
                variables["OTEL_BSP_SCHEDULE_DELAY"] = "600000"
            process, url = stack.enter_context(started(target, folder / target, **variables))
            wait_for(f"{url}/health", process)
            urls[target] = url
        pubsub.push(RESUME_TOPIC, f"{urls['events']}/events")
        (folder / "chat").mkdir()
        chat = stack.enter_context(
            agent_server(
                folder / "chat",
                module="functions.chat.serve",
                K_SERVICE="chat",
                ALLOW_UNAUTHENTICATED="true",
                TOOLS_URL=urls["tools"],
                **shared,
                **collected.settings("chat"),
            )
        )
        yield Rig(chat, collected)


def leave_in_the_middle(chat: Agent) -> None:
    """A client that goes away while the second reply is made: the turn is handed over by an event."""
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    body = {"message": "MARK-message", "session_id": "s"}
    with (
        chat.client(**headers) as client,
        client.stream("POST", "/chat/stream", json=body) as response,
    ):
        next(line for line in response.iter_lines() if "Half" in line)


def ended_twice(spans: list[CollectedSpan]) -> bool:
    """Whether the turn has left its instance and ended in another, and the last event of each was sent."""
    names = [span.name for span in spans]
    sent = names.count("send ai.turn.completed")
    return names.count(TURN) == 2 and "process turn.resume" in names and sent >= 2


def test_one_turn_is_one_trace(gemini: GeminiServer, pubsub: PubSubServer, tmp_path: Path) -> None:
    gemini.script(reply("Well:", SAVE, SUGGEST), hang("Half"), reply("And the rest."))
    with rig(gemini, pubsub, tmp_path) as found:
        leave_in_the_middle(found.chat)
        found.collected.until(ended_twice, seconds=60)
        # What the processes still hold goes out when they are told to stop.
        collected = found.collected
    spans = [span for span in collected.spans if span.trace_id == TRACE]
    (request,) = (span for span in spans if span.name == "POST /chat/stream")
    assert (request.service, request.kind, request.parent_id) == ("chat", "server", CALLER)
    _check_places(tree(spans, TRACE))
    _check_turns(spans, request)
    _check_tools_and_models(spans)
    # Everything of it is in the one trace, and none of what was said is in any.
    assert all(span.parent_id for span in spans)
    assert not any(b"MARK" in body for body in collected.bodies)


def _check_places(places: dict[str, list[str]]) -> None:
    turn = f"POST /chat/stream > {TURN}"
    remote = f"{turn} > POST /tools/{{name}}"
    handed = f"{turn} > send turn.resume > process turn.resume"
    assert places[TURN] == ["POST /chat/stream", handed] or places[TURN] == [handed, "POST /chat/stream"]
    assert places["begin_turn sessions"] == ["POST /chat/stream"]
    assert sorted(places["chat gemini-2.5-flash"]) == sorted([turn, turn, f"{handed} > {TURN}"])
    assert sorted(places["POST /tools/{name}"]) == [turn, turn, remote, remote]
    assert places["execute_tool save_artifact"] == [f"{remote} > POST /tools/{{name}}"]
    assert places["execute_tool suggest_bot"] == [f"{remote} > POST /tools/{{name}}"]
    assert places["put objects"] == [f"{remote} > POST /tools/{{name}} > execute_tool save_artifact"]
    assert places["send turn.resume"] == [turn]
    assert places["take_turn sessions"] == [handed]
    assert set(places["send ai.turn.completed"]) == {turn, f"{handed} > {TURN}"}


def _check_turns(spans: list[CollectedSpan], request: CollectedSpan) -> None:
    first, second = sorted((span for span in spans if span.name == TURN), key=lambda span: span.service)
    assert (first.service, first.links) == ("chat", ())
    assert first.attributes["the0.turn.status"] == "interrupted"
    # Taken up again elsewhere, it refers to where it was begun.
    assert (second.service, second.links) == ("events", ((TRACE, request.span_id),))
    assert second.attributes["the0.turn.status"] == "completed"
    assert second.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert second.attributes["gen_ai.conversation.id"] == "s"
    assert second.attributes["gen_ai.usage.output_tokens"] > 0


def _check_tools_and_models(spans: list[CollectedSpan]) -> None:
    (save,) = (span for span in spans if span.name == "execute_tool save_artifact")
    assert (save.service, save.failed) == ("tools", False)
    assert save.attributes["gen_ai.operation.name"] == "execute_tool"
    assert save.attributes["gen_ai.tool.name"] == "save_artifact"
    models = [span for span in spans if span.name.startswith("chat ")]
    assert {span.kind for span in models} == {"client"}
    assert {span.attributes["gen_ai.provider.name"] for span in models} == {"gcp.gemini"}
    last = next(span for span in models if span.service == "events")
    assert last.attributes["gen_ai.request.model"] == "gemini-2.5-flash"
    assert last.attributes["gen_ai.response.finish_reasons"] == ["stop"]
    assert last.attributes["gen_ai.usage.input_tokens"] > 0
    sent = [span for span in spans if span.name == "send turn.resume"]
    assert [span.attributes["messaging.system"] for span in sent] == ["gcp_pubsub"]
    assert [span.attributes["messaging.destination.name"] for span in sent] == ["turn-resume"]
