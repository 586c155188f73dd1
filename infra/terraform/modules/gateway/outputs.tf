output "address" {
  description = "The gateway's IP address, for the domains' A records."
  value       = google_compute_global_address.gateway.address
}

output "certificate" {
  description = "The certificate's name."
  value       = google_compute_managed_ssl_certificate.gateway.name
}
