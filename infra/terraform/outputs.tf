output "gateway_address" {
  description = "The IP address that the A records of the domains take."
  value       = module.gateway.address
}

output "certificate" {
  description = "The certificate's name: `gcloud compute ssl-certificates describe` tells whether it was issued."
  value       = module.gateway.certificate
}

output "base_urls" {
  description = "Where callers find the agent."
  value       = [for domain in var.domains : "https://${domain}"]
}

output "function_urls" {
  description = "Target -> the service's address, which is the audience of tokens for it."
  value       = local.urls
}

output "service_accounts" {
  description = "Target -> the identity of its function, to be let in elsewhere."
  value       = module.identity.emails
}

output "secrets" {
  description = "Secret -> its id in Secret Manager; those in secrets_to_fill need a value before the functions are made."
  value       = module.secrets.ids
}

output "secrets_to_fill" {
  description = "The secrets whose values an operator puts."
  value       = [for name in keys(local.secrets) : "${var.name}-${name}" if !contains(local.made_secrets, name)]
}

output "topics" {
  description = "The topics' full names."
  value       = module.topics.topics
}

output "artifact_bucket" {
  description = "The bucket of the sessions' files."
  value       = module.storage.artifact_bucket
}

output "network" {
  description = "The network's name, for who peers with it, as for a NATS elsewhere; empty: none."
  value       = join("", module.network[*].name)
}

output "postgres_instance" {
  description = "The Cloud SQL instance; empty with Firestore."
  value       = module.database.postgres_instance
}

output "migration_job" {
  description = "The job to be run before a release with migrations; empty: none."
  value       = module.services.migration_job
}

output "eventarc_subscription" {
  description = "Eventarc's own subscription; empty with push."
  value       = module.topics.eventarc_subscription
}

output "dashboard" {
  description = "The dashboard's id in Cloud Monitoring."
  value       = module.alerts.dashboard
}
