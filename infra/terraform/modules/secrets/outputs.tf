output "ids" {
  description = "Secret -> its id in Secret Manager, once it may be read and, where it is made here, has a value."
  value       = { for name, secret in google_secret_manager_secret.secret : name => secret.secret_id }
  depends_on  = [google_secret_manager_secret_iam_member.reads, google_secret_manager_secret_version.made]
}
