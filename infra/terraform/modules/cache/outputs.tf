output "url" {
  description = "REDIS_URL, with its password."
  value       = "redis://:${google_redis_instance.cache.auth_string}@${google_redis_instance.cache.host}:${google_redis_instance.cache.port}/0"
  sensitive   = true
}
