# Names alone: the operator adds the values, which so are in no file and no state (README.md). Those made here are in the state.
resource "google_secret_manager_secret" "secret" {
  for_each = var.secrets

  project             = var.project
  secret_id           = "${var.name}-${each.key}"
  deletion_protection = var.deletion_protection
  labels              = var.labels

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "made" {
  for_each = toset(var.made)

  secret      = google_secret_manager_secret.secret[each.value].id
  secret_data = var.values[each.value]
}

# A function reads the secrets that it uses, one by one, and no other.
locals {
  readings = merge([
    for secret, users in var.secrets : { for user in users : "${secret}/${user}" => { secret = secret, user = user } }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = local.readings

  project   = var.project
  secret_id = google_secret_manager_secret.secret[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = var.members[each.value.user]
}
