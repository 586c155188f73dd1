output "network" {
  description = "The network, once services have addresses in it."
  value       = google_compute_network.agent.id
  depends_on  = [google_service_networking_connection.services]
}

output "connector" {
  description = "The connector of functions, once run.app is private in it."
  value       = google_vpc_access_connector.agent.id
  depends_on  = [google_dns_record_set.run]
}

output "name" {
  description = "The network's name, for who peers with it."
  value       = google_compute_network.agent.name
}
