# Instances stand still between requests, so what has to happen by itself is asked for from here.
resource "google_cloud_scheduler_job" "job" {
  for_each = var.jobs

  project          = var.project
  region           = var.region
  name             = "${var.name}-${each.key}"
  description      = each.value.description
  schedule         = each.value.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "${each.value.seconds}s"

  http_target {
    http_method = "POST"
    uri         = "${each.value.service}${each.value.path}"

    oidc_token {
      service_account_email = var.account
      audience              = each.value.service
    }
  }

  retry_config {
    retry_count          = each.value.retries
    min_backoff_duration = "60s"
    max_backoff_duration = "900s"
  }
}
