output "firestore_url" {
  description = "DATABASE_URL of Firestore, which holds no secret; empty where Postgres is used."
  value       = var.kind == "firestore" ? "firestore://${var.project}/${google_firestore_database.sessions[0].name}" : ""
}

output "postgres_url" {
  description = "DATABASE_URL of Postgres, with its password; empty where Firestore is used."
  value       = var.kind == "postgres" ? "postgresql://${google_sql_user.agent[0].name}:${random_password.agent[0].result}@${google_sql_database_instance.sessions[0].private_ip_address}/${google_sql_database.sessions[0].name}?sslmode=require" : ""
  sensitive   = true
}

output "postgres_instance" {
  description = "The Cloud SQL instance's name; empty where Firestore is used."
  value       = var.kind == "postgres" ? google_sql_database_instance.sessions[0].name : ""
}
