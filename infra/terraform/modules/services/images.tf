# Where built images lie. The ten newest of each function stay, for a quick way back.
resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = var.name
  format        = "DOCKER"
  description   = "Images of the functions"
  labels        = var.labels

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "remove-old"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }
}

# The build puts its image here.
resource "google_artifact_registry_repository_iam_member" "build_writes" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = var.build_member
}
