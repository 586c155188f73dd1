"""`Store` on Firestore.

Documents
---------
All collections are at the top, so that each can be gone through. An id is a SHA-256 of the names it stands
for (names.py): the same names give the same id, and a document is made by create alone. Every document has
`id`, its own id as a field to order by, and `by`, the mark of the commit that last wrote it (runner.py).
Bodies are sealed by the codec; names are plain.

    sessions    user, session       title, context, summary (bodies), revision, running turn, line of waiting
                                    turns, next turn and event numbers; `owner`, `place` for lists
    turns       user, turn id       request, steps, held events (bodies), status, number, lease and token;
                                    what is in it decides who may write it
    parts       owner, body, index  a piece of a body beyond 600,000 bytes of its turn or tool call
    keys        user, key           the turn that an idempotency key names
    files       session, filename   the newest version's record (body), highest number, deleted or not
    versions    file, number        one version's record (body)
    tool_calls  session, call id    claim, result (body)
    outbox      user, event id      an event to publish (body); `place` is its number until it is published
    bot_events  session, event key  an event that came in (body); `bot` and `place` for a bot's history
    bot_facts   session, bot        the newest fact of each kind (bodies) about a bot; a session that has any
                                    says so in `has_facts`
    dead_letters  letter            an event that was not applied (body); `place` while it waits
    usage_days, reservations, permits, secrets, leases, deployments, work_places: a document for each
                                    of what they hold

A turn is one document: its steps are fields of it. Thus a reader never sees half a turn, a page of history
is as many reads as it has turns, and a step is one write of the turn's document, which also renews the
lease. The session's document is written when a turn begins and ends; its revision counts the steps of the
running turn in.

Writes
------
No transaction of the server's, no lock: documents are read, and one commit writes all on condition that
each is still as it was read (`update_time`), or is not there yet (create). One that is refused is tried
again from the reads, with growing pauses, for 20 seconds at most. All that must not happen at once in a
session writes the session's document; the process's own calls about one session stand in a queue before it.
Limits of Firestore: 1 MiB a document (larger bodies are cut), 10 MiB and 500 writes a commit (a step beyond
8,000,000 bytes, a context beyond 600,000, more than 200 events or versions of one turn are refused with
`payload_too_large`), one lasting write a second to one document (a running turn and its session are two).

A turn that is rolled back becomes a mark without bodies in the same commit that takes its versions out; the
parts of its large bodies are out of reach from then on, and go with the mark when the store is tidied a day
later.

Indexes: infra/firestore.indexes.json, nine composite ones; no other field is indexed but those ordered by
alone. TTL policies on `expires_at` are in it too; `Store.tidy` removes the same and does not need them.

Costs, in documents (tests/shared/sessions/firestore/test_cost.py):

    begin a turn     2 reads, 1 a turn of the history unless the caller knows it; 2 writes; 1 read and 1 write
                     more with an idempotency key, 1 read more where a turn is in the way
    a step, renewal  1 write
    end              2 writes, 1 an event; no reads while the process remembers the turn as it wrote it
    newest page      1 read a turn, 2 more
    a message answered without tools, its history known: 2 reads and 5 writes with its event
"""
