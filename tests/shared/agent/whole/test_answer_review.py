"""An answer that cites what does not exist ends with a note that says so, live and in the record."""

from __future__ import annotations

from shared.agent.updates import ContentUpdate
from shared.tools.documentation.consult import find_page
from shared.turn import TurnRequest
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import reply, text
from tests.shared.agent.whole.session import KEY, WholeSession

WRONG = "Keys come from the configuration (`secrets.md#Where the moon is`), see `sekrets.md#Storing`."


async def test_wrong_citations_are_told(gemini: GeminiServer, live: WholeSession) -> None:
    gemini.script(reply(WRONG))
    turn = await live.say("How are secrets kept?")
    assert turn.response.startswith(f"{WRONG}\n\n**Citations that do not exist:**\n- ")
    assert "`secrets.md#Where the moon is`: the page has no such heading" in turn.response
    assert "`sekrets.md#Storing`: there is no such page; the nearest is `secrets.md`" in turn.response


async def test_right_citations_are_left_alone(gemini: GeminiServer, live: WholeSession) -> None:
    page = (await find_page(live.resources.settings, "bot-config.md")).value
    first, last = page.sections[1].heading, page.sections[-1].anchor
    answer = f"Write it down (`bot-config.md#{first}`, [there](bot-config.md#{last}))."
    gemini.script(reply(answer))
    assert (await live.say("Where?")).response == answer


async def test_a_reader_of_the_stream_gets_the_note_too(gemini: GeminiServer, live: WholeSession) -> None:
    gemini.script(reply(text(WRONG, signature=b"signed")))
    turn = await live.engine.begin(key=KEY, request=TurnRequest(message="How?"))
    heard = ""
    async for updates in live.engine.follow(user_id=KEY.user_id, turn_id=turn.turn_id):
        heard += "".join(update.content for update in updates if isinstance(update, ContentUpdate))
    assert heard == (await live.engine.load(user_id=KEY.user_id, turn_id=turn.turn_id)).response
    assert "Citations that do not exist" in heard
