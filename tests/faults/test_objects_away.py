"""The object store refuses, or hangs, while files are saved."""

from __future__ import annotations

import time

import pytest

from tests.faults.deployment import Deployment
from tests.faults.outcome import outcome_of, undisturbed
from tests.servers.faulty_proxy import faulty_proxy
from tests.servers.object_fixtures import s3_variables
from tests.servers.seaweedfs import SeaweedServer

BOUND_SECONDS = 30.0
_ALWAYS = 10_000


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kept_url", ["sqlite"], indirect=True)
async def test_files_are_saved_whole_or_not_at_all(deployment: Deployment, seaweedfs: SeaweedServer) -> None:
    bucket = seaweedfs.create_bucket()
    with faulty_proxy(seaweedfs.port) as proxy:
        deployment.settings.update(s3_variables(proxy.url, bucket))
        deployment.start()
        expected, _ = await undisturbed(deployment)

        # Once: repeated inside.
        proxy.faults.refused = 1
        await deployment.insist("once")
        assert await outcome_of(deployment, "once") == expected

        for fault in ("refused", "silent", "lost_answer"):
            setattr(proxy.faults, fault, _ALWAYS)
            began = time.monotonic()
            heard = await deployment.say(f"turn-{fault}")
            put = await deployment.client.put(f"/artifacts/session/turn-{fault}/a.txt", content=b"kept?")
            setattr(proxy.faults, fault, 0)
            assert (put.status_code, put.json()["code"]) == (503, "store_unavailable")
            assert int(put.headers["retry-after"]) >= 1
            # The model was told, and the turn is whole.
            assert heard.last["type"] == "complete"
            failed = next(event for event in heard.of("tool_result") if event["name"] == "save_artifact")
            assert failed["status"] == "error"
            assert "artifact store" in failed["result"]["error"]
            assert await deployment.get(f"/artifacts/session/turn-{fault}") == []
            assert await deployment.watcher.count("artifact_versions", f"turn-{fault}") == 0
            # Two calls of the turn and one of ours, each within its bound.
            assert time.monotonic() - began < 3 * BOUND_SECONDS

        again = await deployment.client.put("/artifacts/session/turn-refused/a.txt", content=b"kept?")
        assert again.status_code == 201
        await deployment.insist("after")
        assert await outcome_of(deployment, "after") == expected
        # Before the proxy, which its connections would outlive.
        deployment.kill()
