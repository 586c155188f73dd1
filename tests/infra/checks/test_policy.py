"""Each rule of the policy, broken in a copy of our own files."""

from __future__ import annotations

import pytest

from infra.checks.policy import RULES, check_policy
from tests.infra.checks.conftest import Plant, of_plans

EVERYBODY = """
resource "google_storage_bucket_iam_member" "open" {
  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}
"""
KEY = """
resource "google_service_account_key" "key" {
  service_account_id = google_service_account.caller["push"].name
}
"""
FIREWALL = """
resource "google_compute_firewall" "open" {
  name          = "open"
  network       = google_compute_network.agent.id
  source_ranges = ["0.0.0.0/0"]
}
"""
BINDING = """
resource "google_project_iam_binding" "all" {
  project = var.project
  role    = "roles/aiplatform.user"
  members = [google_service_account.caller["push"].member]
}
"""
SECOND_RULE = (
    '  rule {\n    priority    = 200\n    action      = "deny(403)"\n    description = "Twice"\n  }\n\n'
)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "modules/storage/artifacts.tf",
            "resource",
            EVERYBODY + "\nresource",
            "roles/storage.objectViewer for everybody",
        ),
        (
            "modules/storage/artifacts.tf",
            '"enforced"',
            '"inherited"',
            "public_access_prevention is not enforced",
        ),
        (
            "modules/storage/artifacts.tf",
            "access = true",
            "access = false",
            "uniform_bucket_level_access is not true",
        ),
        ("modules/storage/artifacts.tf", "enabled = false", "enabled = true", "versioning is on"),
        ("modules/storage/artifacts.tf", "= var.force_destroy", "= true", "force_destroy removes the files"),
        (
            "modules/services/functions.tf",
            '"ALLOW_INTERNAL_AND_GCLB"',
            '"ALLOW_ALL"',
            "everybody may call a service",
        ),
        (
            "modules/services/functions.tf",
            '"ALLOW_INTERNAL_AND_GCLB"',
            '"ALLOW_ALL"',
            "ingress takes ALLOW_INTERNAL",
        ),
        (
            "modules/services/websocket.tf",
            '"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"',
            '"INGRESS_TRAFFIC_ALL"',
            "ingress takes",
        ),
        (
            "modules/services/functions.tf",
            "= var.accounts[each.key]",
            '= var.accounts["chat"]',
            "shares ${module.identity",
        ),
        (
            "modules/services/functions.tf",
            "max_instance_count               = var.sizes[each.key].max_instances",
            "max_instance_count               = null",
            "max_instance_count is not set",
        ),
        ("modules/identity/roles.tf", '"roles/aiplatform.user"', '"roles/editor"', "roles/editor lets more"),
        (
            "modules/identity/roles.tf",
            '"roles/aiplatform.user"',
            '"roles/datastore.owner"',
            "roles/datastore.owner on the whole project",
        ),
        (
            "modules/identity/roles.tf",
            '"roles/aiplatform.user"',
            '"roles/pubsub.publisher"',
            "roles/pubsub.publisher on the whole project",
        ),
        ("modules/identity/accounts.tf", "resource", KEY + "\nresource", "a key of a service account"),
        (
            "modules/identity/accounts.tf",
            "resource",
            BINDING + "\nresource",
            "takes the role from all whom it does not name",
        ),
        (
            "environment.tf",
            'SERVICE_AUTH          = "oidc"',
            'SERVICE_AUTH          = "oidc"\n      THE0_API_KEY = "k"',
            "THE0_API_KEY holds a secret as a plain value",
        ),
        ("modules/network/main.tf", "resource", FIREWALL + "\nresource", "lets everybody into the network"),
        (
            "modules/database/postgres.tf",
            "ipv4_enabled    = false",
            "ipv4_enabled    = true",
            "has a public address",
        ),
        (
            "modules/database/postgres.tf",
            '"ENCRYPTED_ONLY"',
            '"ALLOW_UNENCRYPTED_AND_ENCRYPTED"',
            "without TLS",
        ),
        (
            "modules/database/postgres.tf",
            "enabled                        = true",
            "enabled                        = false",
            "has no backups",
        ),
        (
            "modules/database/postgres.tf",
            "deletion_protection = var.deletion_protection",
            "deletion_protection = false",
            "deletion_protection is not true",
        ),
        (
            "modules/database/firestore.tf",
            'var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : ',
            "",
            "delete_protection_state",
        ),
        ("modules/database/firestore.tf", "> 0 ? 1 : 0", "> 0 ? 0 : 0", "has no backups"),
        (
            "modules/database/firestore.tf",
            '"POINT_IN_TIME_RECOVERY_ENABLED"',
            '"POINT_IN_TIME_RECOVERY_DISABLED"',
            "earlier moment",
        ),
        (
            "modules/cache/main.tf",
            "auth_enabled            = true",
            "auth_enabled            = false",
            "asks for no password",
        ),
        ("modules/gateway/frontend.tf", '"MODERN"', '"COMPATIBLE"', "profile takes MODERN"),
        ("modules/gateway/frontend.tf", '"TLS_1_2"', '"TLS_1_0"', "min_tls_version takes"),
        (
            "modules/gateway/frontend.tf",
            "  ssl_policy       = google_compute_ssl_policy.modern.id\n",
            "",
            "has no ssl_policy",
        ),
        (
            "modules/gateway/frontend.tf",
            "url_map = google_compute_url_map.redirect.id",
            "url_map = google_compute_url_map.gateway.id",
            "serves without TLS",
        ),
        (
            "modules/gateway/backends.tf",
            "  security_policy         = google_compute_security_policy.gateway.id\n",
            "",
            "has no security_policy",
        ),
        ("modules/gateway/armor.tf", '"rate_based_ban"', '"allow"', "limits no address"),
        (
            "modules/gateway/armor.tf",
            "priority    = 2147483647",
            "priority    = 2000000000",
            "has no rule 2147483647",
        ),
        ("modules/gateway/armor.tf", "  rule {\n", SECOND_RULE + "  rule {\n", "two rules of priority 200"),
        (
            "modules/topics/subscriptions.tf",
            "dead_letter_policy {",
            "labels_of_nothing {",
            "has no dead-letter topic",
        ),
        (
            "modules/topics/dead_letters.tf",
            "topic                      = google_pubsub_topic.dead_letters[each.key].id",
            "topic                      = google_pubsub_topic.topic[each.key].id",
            "nothing keeps what comes to",
        ),
        (
            "modules/topics/dead_letters.tf",
            '"roles/pubsub.subscriber"',
            '"roles/pubsub.viewer"',
            "Pub/Sub has no roles/pubsub.subscriber",
        ),
        (
            "modules/topics/subscriptions.tf",
            "audience              = each.value.service\n",
            "",
            "has no oidc_token",
        ),
        ("modules/topics/subscriptions.tf", 'ttl = ""', 'ttl = "2678400s"', "goes when nothing came"),
        ("modules/topics/subscriptions.tf", 'retention = "86400s"', 'retention = "600s"', "less than a day"),
        ("modules/schedule/main.tf", "service_account_email = var.account\n", "", "has no oidc_token"),
        (
            "modules/alerts/error_rate.tf",
            "notification_channels = local.channels",
            "notification_channels = []",
            "tells nobody",
        ),
        (
            "modules/alerts/error_rate.tf",
            '"Runbook: ${local.runbooks["error-rate"]}"',
            '"Look."',
            "names no runbook",
        ),
    ],
)
def test_a_rule_that_is_broken_is_told(plant: Plant, file: str, old: str, new: str, told: str) -> None:
    plant(file, old, new, told, lambda copy: of_plans(copy, check_policy))


def test_each_rule_has_a_reason_of_its_own() -> None:
    reasons = [rule.reason for rule in RULES]

    assert len(set(reasons)) == len(reasons)
