"""What is kept."""

from __future__ import annotations

from infra.checks.hcl.planning import Plan
from infra.checks.policy.rule import Faults, Rule, inner, is_for_trying_out

_DAY = 86_400


def _buckets_are_closed(plan: Plan) -> Faults:
    for bucket in plan.of_type("google_storage_bucket"):
        if bucket.values.get("uniform_bucket_level_access") is not True:
            yield bucket, "uniform_bucket_level_access is not true"
        if bucket.values.get("public_access_prevention") != "enforced":
            yield bucket, "public_access_prevention is not enforced"


def _buckets_keep_one_version(plan: Plan) -> Faults:
    for bucket in plan.of_type("google_storage_bucket"):
        if inner(bucket.values, "versioning", "enabled") is True:
            yield bucket, "versioning is on"


def _files_stay(plan: Plan) -> Faults:
    uploads = {text.values.get("bucket") for text in plan.of_type("google_storage_bucket_object")}
    for bucket in plan.of_type("google_storage_bucket"):
        upload = bucket.values.get("name") in uploads
        if bucket.values.get("force_destroy") and not upload and not is_for_trying_out(plan):
            yield bucket, "force_destroy removes the files of users"


def _sql_is_private(plan: Plan) -> Faults:
    for database in plan.of_type("google_sql_database_instance"):
        network = inner(database.values, "settings", "ip_configuration")
        if inner(network, "ipv4_enabled") is not False or not inner(network, "private_network"):
            yield database, "has a public address"
        if inner(network, "ssl_mode") not in {"ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"}:
            yield database, "takes connections without TLS"
    for cache in plan.of_type("google_redis_instance"):
        if cache.values.get("auth_enabled") is not True:
            yield cache, "asks for no password"


def _databases_come_back(plan: Plan) -> Faults:
    if is_for_trying_out(plan):
        return
    for database in plan.of_type("google_sql_database_instance"):
        backups = inner(database.values, "settings", "backup_configuration")
        if (
            inner(backups, "enabled") is not True
            or inner(backups, "point_in_time_recovery_enabled") is not True
        ):
            yield database, "has no backups that reach any moment"
    backed = {each.values.get("database") for each in plan.of_type("google_firestore_backup_schedule")}
    for database in plan.of_type("google_firestore_database"):
        if database.values.get("point_in_time_recovery_enablement") != "POINT_IN_TIME_RECOVERY_ENABLED":
            yield database, "cannot be read as of an earlier moment"
        if database.values.get("name") not in backed:
            yield database, "has no backups"


def _databases_stay(plan: Plan) -> Faults:
    if is_for_trying_out(plan):
        return
    for database in plan.of_type("google_sql_database_instance"):
        if database.values.get("deletion_protection") is not True:
            yield database, "deletion_protection is not true"
    for database in plan.of_type("google_firestore_database"):
        if database.values.get("delete_protection_state") != "DELETE_PROTECTION_ENABLED":
            yield database, "delete_protection_state is not enabled"


def _messages_stay(plan: Plan) -> Faults:
    for subscription in plan.of_type("google_pubsub_subscription"):
        kept = str(subscription.values.get("message_retention_duration", f"{7 * _DAY}s"))
        if int(kept.removesuffix("s")) < _DAY:
            yield subscription, "keeps messages for less than a day"
        if inner(subscription.values, "expiration_policy", "ttl") != "":
            yield subscription, "goes when nothing came for a while"


RULES: tuple[Rule, ...] = (
    Rule("files of users are nobody's business", _buckets_are_closed),
    Rule("versions are the agent's own, and what retention removes is gone", _buckets_keep_one_version),
    Rule("only an environment that says so loses its files with destroy", _files_stay),
    Rule("conversations and keys of users go through it", _sql_is_private),
    Rule("a mistake is found days later", _databases_come_back),
    Rule("a slip in a plan would remove all sessions", _databases_stay),
    Rule("a receiver may be down for a night, and events come seldom", _messages_stay),
)
