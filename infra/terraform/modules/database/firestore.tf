# Named, not (default), so that roles can be bound to this one. Writes carry their own preconditions (shared/sessions/firestore), so the
# mode of concurrency is the server's default. Protected, it makes destroy fail rather than be left behind unseen.
resource "google_firestore_database" "sessions" {
  count = var.kind == "firestore" ? 1 : 0

  project                           = var.project
  name                              = var.name
  location_id                       = var.firestore.location == "" ? var.region : var.firestore.location
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = "DELETE"
}

resource "google_firestore_backup_schedule" "daily" {
  count = var.kind == "firestore" && var.firestore.backup_days > 0 ? 1 : 0

  project   = var.project
  database  = google_firestore_database.sessions[0].name
  retention = "${var.firestore.backup_days * 86400}s"

  daily_recurrence {}
}
