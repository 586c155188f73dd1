output "emails" {
  description = "The functions' accounts."
  value       = { for name, account in google_service_account.function : name => account.email }
}

output "members" {
  description = "The functions' accounts as members of policies."
  value       = { for name, account in google_service_account.function : name => account.member }
}

output "callers" {
  description = "The accounts of those who call: push, scheduler, eventarc, migrate."
  value       = { for name, account in google_service_account.caller : name => account.email if name != "build" }
}

output "build_account" {
  description = "The full name of the account that builds, once it may."
  value       = google_service_account.caller["build"].name
  depends_on  = [google_project_iam_member.build_reads_source, google_project_iam_member.build_logs]
}

output "build_member" {
  description = "The account that builds as a member of policies."
  value       = google_service_account.caller["build"].member
}
