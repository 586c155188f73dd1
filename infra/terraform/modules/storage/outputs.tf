output "artifact_bucket" {
  description = "The bucket of the sessions' files."
  value       = google_storage_bucket.artifacts.name
}

output "source_bucket" {
  description = "The bucket of the upload."
  value       = google_storage_bucket.source.name
}

output "source_object" {
  description = "The upload's name, with its hash."
  value       = google_storage_bucket_object.bundle.name
}
