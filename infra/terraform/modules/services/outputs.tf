output "names" {
  description = "Target -> the name of its service, once it is there."
  value       = { for target, function in google_cloudfunctions2_function.function : target => function.name }
}

output "websocket_service" {
  description = "The name of the WebSocket's service; empty: none."
  value       = join("", [for service in google_cloud_run_v2_service.websocket : service.name])
}

output "migration_job" {
  description = "The name of the job that migrates; empty: none."
  value       = join("", google_cloud_run_v2_job.migrate[*].name)
}
