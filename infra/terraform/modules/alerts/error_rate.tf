resource "google_monitoring_alert_policy" "error_rate" {
  project               = var.project
  display_name          = "${var.name}: requests fail"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "5xx over ${100 * var.thresholds.error_rate} % of a service's requests for ten minutes"
    condition_threshold {
      filter             = "${local.requests} AND metric.labels.response_code_class=\"5xx\""
      denominator_filter = local.requests
      comparison         = "COMPARISON_GT"
      threshold_value    = var.thresholds.error_rate
      duration           = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Runbook: ${local.runbooks["error-rate"]}"

    dynamic "links" {
      for_each = local.is_address ? [local.runbooks["error-rate"]] : []
      content {
        display_name = "Runbook"
        url          = links.value
      }
    }
  }
}

locals {
  requests = "resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\" AND resource.labels.service_name=starts_with(\"${var.name}-\")"
}
