"""What the code asks of the cloud, taken away or given for nothing in a copy of our own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.checks.promises import check_promises
from infra.checks.promises.topics import TOPICS
from infra.checks.run import check_all
from shared.settings import Settings
from tests.infra.checks.conftest import Plant, of_plans


def test_our_own_files_keep_every_promise(repository: Path) -> None:
    assert [str(problem) for problem in check_all(repository)] == []


def test_the_topics_are_those_that_are_told(repository: Path) -> None:
    told = (repository / "docs" / "events.md").read_text()

    for setting in TOPICS:
        assert f"`{Settings.model_fields[setting].default}`" in told


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        # Variables.
        (
            "environment.tf",
            'AUTH_MODE             = "jwt"',
            'AUTH_MOD              = "jwt"',
            "chat: AUTH_MOD is no setting",
        ),
        (
            "environment.tf",
            'AUTH_MODE             = "jwt"',
            'AUTH_MODE             = "jwtt"',
            "chat: does not start: AUTH_MODE",
        ),
        (
            "environment.tf",
            'AUTH_MODE             = "jwt"',
            'AUTH_MODE             = "none"',
            "AUTH_MODE=none is refused in the cloud",
        ),
        (
            "environment.tf",
            "      JWT_JWKS_URL = var.authentication.jwks_url\n",
            "",
            "AUTH_MODE=jwt needs JWT_SECRET or",
        ),
        (
            "environment.tf",
            "      ARTIFACT_BUCKET         = module.storage.artifact_bucket\n",
            "",
            "tools: ARTIFACT_BUCKET is not given: without it files are in a folder",
        ),
        (
            "environment.tf",
            "{ DATABASE_URL = module.database.firestore_url }",
            "{}",
            "events: DATABASE_URL is not given: without it sessions",
        ),
        (
            "environment.tf",
            "      PUBSUB_PROJECT        = var.project\n",
            "",
            "nats_bridge: PUBSUB_PROJECT is not given",
        ),
        (
            "environment.tf",
            'MODEL_PROVIDER = var.model.provider == "offline" ? "offline" : "gemini"',
            'DOCS_API_URL = ""',
            "chat: MODEL_PROVIDER is not given",
        ),
        (
            "environment.tf",
            '        SERVICE_AUDIENCE = join(",", local.audiences[target])\n',
            "",
            "events: SERVICE_AUDIENCE is not given",
        ),
        (
            "environment.tf",
            'TOOLS_URL = var.run_tools_apart ? local.urls["tools"]',
            'TOOLS_URL = var.run_tools_apart ? "tools.example"',
            "does not start: TOOLS_URL",
        ),
        ("environment.tf", "/nats-ca/value", "/nats-ca/pem", "nats_bridge: NATS_CA_FILE names"),
        (
            "secrets.tf",
            '"encryption-keys" = local.store_users',
            '"encryption-keys" = ["chat"]',
            "tools: ENCRYPTION_KEYS is not given",
        ),
        (
            "secrets.tf",
            "var.tavily ? local.tool_runners",
            "var.tavily ? local.store_users",
            "artifacts: TAVILY_API_KEY is given, and nothing here uses it",
        ),
        (
            "secrets.tf",
            "= var.redis.memory_gb > 0 ? local.store_users",
            '= var.redis.memory_gb > 0 ? ["chat"]',
            "events: REDIS_URL is not given, as it is to chat",
        ),
        (
            "secrets.tf",
            'var.nats.enabled ? ["nats_bridge"]',
            'var.nats.enabled ? ["nats_bridge", "tools"]',
            "tools: NATS_URL is given, and nothing here uses it",
        ),
        (
            "modules/services/websocket.tf",
            'var.environment["chat"]',
            'var.environment["tools"]',
            "is not as in chat",
        ),
        # Sources.
        (
            "functions.tf",
            '"functions/tools/main.py"',
            '"functions/chat/main.py"',
            "tools: its source is functions/tools/main.py, not",
        ),
        (
            "functions.tf",
            '    events      = "functions/events/main.py"\n',
            "",
            "the function events is not deployed",
        ),
        ("modules/services/functions.tf", '"python311"', '"python313"', "runtime takes python311"),
        # Roles.
        (
            "main.tf",
            'url_signers        = ["artifacts"]',
            'url_signers        = ["artifacts", "chat"]',
            "chat has roles/iam.serviceAccountTokenCreator",
        ),
        (
            "main.tf",
            'url_signers        = ["artifacts"]',
            "url_signers        = []",
            "artifacts: lacks roles/iam.serviceAccountTokenCreator on account",
        ),
        (
            "main.tf",
            'for target in ["artifacts", "chat"]',
            'for target in ["artifacts", "chat", "nats_bridge"]',
            "nats_bridge has roles/storage.objectUser on bucket",
        ),
        (
            "main.tf",
            'for target in ["artifacts", "chat"]',
            'for target in ["chat"]',
            "artifacts: lacks roles/storage.objectUser on bucket",
        ),
        (
            "main.tf",
            '["tools", "events"]',
            '["tools", "events", "artifacts"]',
            "artifacts has roles/storage.objectViewer on bucket",
        ),
        (
            "main.tf",
            "local.store_users : []\n  vertex",
            "keys(local.sources) : []\n  vertex",
            "nats_bridge has roles/datastore.user on project",
        ),
        (
            "main.tf",
            '"vertex" ? local.model_users',
            '"vertex" ? local.store_users',
            "artifacts has roles/aiplatform.user on project",
        ),
        (
            "main.tf",
            '"vertex" ? local.model_users : []',
            '"vertex" ? ["chat"] : []',
            "events: lacks roles/aiplatform.user on project",
        ),
        (
            "main.tf",
            '"turn-resume"     = { for target in local.store_users',
            '"turn-resume"     = { for target in keys(local.sources)',
            "nats_bridge has roles/pubsub.publisher on topic turn-resume",
        ),
        (
            "main.tf",
            'var.nats.enabled ? { nats_bridge = module.identity.members["nats_bridge"] } : {}',
            "{}",
            "nats_bridge: lacks roles/pubsub.publisher on topic platform-events",
        ),
        (
            "main.tf",
            "local.secret_readers",
            '{ for target in keys(local.sources) : target => module.identity.members["chat"] }',
            "tools: lacks roles/secretmanager.secretAccessor on secret",
        ),
        # Accounts of no function.
        (
            "modules/identity/accounts.tf",
            'push      = "',
            'spare = "x"\n      push      = "',
            'caller["spare"]: nobody acts as this account',
        ),
        (
            "modules/identity/roles.tf",
            'member  = google_service_account.caller["eventarc"].member',
            'member  = google_service_account.caller["push"].member',
            'caller["push"] has roles/eventarc.eventReceiver on project, and does nothing with it',
        ),
        (
            "modules/identity/roles.tf",
            '"roles/logging.logWriter"',
            '"roles/logging.viewer"',
            'caller["build"] lacks roles/logging.logWriter on project',
        ),
        (
            "modules/services/access.tf",
            "function[each.value.target].name",
            'function["artifacts"].name',
            'caller["push"] may invoke it, and is none of SERVICE_ACCOUNTS',
        ),
        # Topics.
        (
            "modules/topics/topics.tf",
            '"turn-resume"     = "86400s"',
            '"turn-resumed"    = "86400s"',
            "turn-resume, which is no topic of the plan",
        ),
        (
            "modules/topics/subscriptions.tf",
            'topic     = "turn-resume"',
            'topic     = "agent-events"',
            "events: nothing brings turn-resume",
        ),
        # The gateway.
        (
            "modules/gateway/url_map.tf",
            '"/tools", "/tools/*"',
            '"/tools"',
            "/tools/a goes to chat, and tools serves it",
        ),
        (
            "modules/gateway/url_map.tf",
            'artifacts   = ["/artifacts", "/artifacts/*"]',
            'artifacts   = ["/artifacts"]',
            "goes to chat, and artifacts serves it",
        ),
        (
            "modules/gateway/url_map.tf",
            'events      = ["/events", "/events/*"]',
            'tools_      = ["/events/*"]',
            "/events goes to chat, and events serves it",
        ),
        (
            "modules/gateway/url_map.tf",
            'websocket   = ["/ws/*"]',
            'websocket   = ["/wss/*"]',
            "/ws/agent/a goes to chat",
        ),
        ("modules/gateway/url_map.tf", '"/mcp", "/mcp/*", ', "", "/mcp goes to chat, and tools serves it"),
        # Calls.
        (
            "schedule.tf",
            '"/events/publish?seconds=20"',
            '"/events/publishes"',
            "events does not serve POST /events/publishes",
        ),
        (
            "schedule.tf",
            '"/artifacts/retention?seconds=1500"',
            '"/artifacts/retention/holds"',
            "no job calls /artifacts/retention",
        ),
        (
            "schedule.tf",
            'local.urls["artifacts"]',
            'local.urls["events"]',
            "events does not serve POST /artifacts/retention",
        ),
        ("modules/schedule/main.tf", '"POST"', '"GET"', "does not serve GET"),
        (
            "modules/schedule/main.tf",
            "audience              = each.value.service",
            'audience              = "https://other.example"',
            "no function has the audience",
        ),
        (
            "functions.tf",
            'artifacts = { scheduler = module.identity.callers["scheduler"] }',
            "artifacts = {}",
            "SERVICE_ACCOUNTS of artifacts lacks its account",
        ),
        (
            "modules/topics/subscriptions.tf",
            'path      = "/nats/publish"',
            'path      = "/nats"',
            "nats_bridge does not serve POST /nats",
        ),
        (
            "modules/services/access.tf",
            '  member   = "serviceAccount:${each.value.account}"',
            '  member   = "serviceAccount:other"',
            "its account may not invoke events",
        ),
        (
            "functions.tf",
            'public_functions = ["chat", "tools", "artifacts"]',
            'public_functions = ["chat", "tools", "artifacts", "events"]',
            "events: is open to everybody, and only services call it",
        ),
        (
            "functions.tf",
            'public_functions = ["chat", "tools", "artifacts"]',
            'public_functions = ["chat", "artifacts"]',
            "tools: users do not get through",
        ),
        ("modules/topics/eventarc.tf", '"/events"', '"/event"', "events does not serve POST /event"),
        (
            "functions.tf",
            '{ eventarc = module.identity.callers["eventarc"] }',
            "{}",
            "SERVICE_ACCOUNTS of events lacks Eventarc's account",
        ),
        (
            "functions.tf",
            'module.identity.emails["chat"]',
            'module.identity.emails["tools"]',
            "tools: SERVICE_ACCOUNTS lacks the account of chat",
        ),
        # Firestore.
        (
            "modules/database/firestore_indexes.tf",
            "for_each = local.composite_indexes",
            "for_each = {}",
            "Firestore's index sessions (owner ASCENDING, place DESCENDING) COLLECTION is not made",
        ),
        (
            "modules/database/firestore_indexes.tf",
            'lookup(each.value, "ttl", false)',
            "true",
            "is made, and is not in firestore.indexes.json",
        ),
        # Runbooks.
        (
            "modules/alerts/error_rate.tf",
            '"Runbook: ${local.runbooks["error-rate"]}"',
            '"Runbook: docs/operations.md#errors"',
            "docs/operations.md has no #errors",
        ),
        ("modules/alerts/budget.tf", "#budget)", "#money)", "docs/operations.md has no #money"),
        # Figures.
        (
            "modules/alerts/metrics.tf",
            'jsonPayload.message=\\"turn ended\\"',
            'jsonPayload.message=\\"turn over\\"',
            "no line of the log says 'turn over'",
        ),
        (
            "modules/alerts/metrics.tf",
            "jsonPayload.overhead_ms",
            "jsonPayload.overheads",
            "no line of the log has overheads",
        ),
        (
            "modules/alerts/metrics.tf",
            '\\"/nats/pull\\"',
            '\\"/nats/pulls\\"',
            "there is no route /nats/pulls",
        ),
        (
            "modules/alerts/error_rate.tf",
            "run.googleapis.com/request_count",
            "run.example/request_count",
            "nobody counts run.example/request_count",
        ),
        (
            "modules/alerts/turn_overhead.tf",
            "user/${google_logging_metric.turn_overhead.name}",
            "user/turns",
            "nobody counts logging.googleapis.com/user/turns",
        ),
    ],
)
def test_a_promise_that_is_not_kept_is_told(plant: Plant, file: str, old: str, new: str, told: str) -> None:
    plant(file, old, new, told, lambda copy: of_plans(copy, check_promises))
