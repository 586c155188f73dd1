# The files of sessions (docs/artifacts.md). Objects are written once and never changed: versions are the agent's own, so the bucket keeps
# none; what is over its time is removed by POST /artifacts/retention, which knows what a session still needs.
resource "google_storage_bucket" "artifacts" {
  project                     = var.project
  name                        = "${var.project}-${var.name}-artifacts"
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy
  labels                      = var.labels

  versioning {
    enabled = false
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 86400
  }

  # A process that is killed may leave parts of an upload behind.
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

resource "google_storage_bucket_iam_member" "keeps" {
  for_each = var.keepers

  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectUser"
  member = each.value
}

resource "google_storage_bucket_iam_member" "reads" {
  for_each = var.writers

  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectViewer"
  member = each.value
}

resource "google_storage_bucket_iam_member" "adds" {
  for_each = var.writers

  bucket = google_storage_bucket.artifacts.name
  role   = "roles/storage.objectCreator"
  member = each.value
}
