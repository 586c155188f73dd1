# What the month costs. It tells and stops nothing; what one user may spend on the model is bounded by the agent (docs/limits.md). A budget has
# no text for a link: its name says where the runbook is.
resource "google_billing_budget" "month" {
  count = var.budget.billing_account == "" ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "${var.name} (docs/operations.md#budget)"

  budget_filter {
    projects        = ["projects/${var.project_number}"]
    calendar_period = "MONTH"
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.monthly_amount)
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }

  threshold_rules {
    threshold_percent = 0.9
  }

  threshold_rules {
    threshold_percent = 1.0
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = slice(local.channels, 0, min(5, length(local.channels)))
    disable_default_iam_recipients   = false
    enable_project_level_recipients  = true
  }
}
