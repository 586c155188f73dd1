# The upload that the functions are built of. Its name holds its hash, so that a new bundle is a new deployment and the same is none.
resource "google_storage_bucket" "source" {
  project                     = var.project
  name                        = "${var.project}-${var.name}-source"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  labels                      = var.labels

  versioning {
    enabled = false
  }

  # A bundle can be made again from its commit.
  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

resource "google_storage_bucket_object" "bundle" {
  bucket       = google_storage_bucket.source.name
  name         = "the0-agent-${filesha256(var.bundle)}.zip"
  source       = var.bundle
  content_type = "application/zip"

  lifecycle {
    create_before_destroy = true
  }
}
