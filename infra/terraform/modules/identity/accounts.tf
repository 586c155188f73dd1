# One account a function, and one for each who calls or builds them. None has a key.
locals {
  callers = merge(
    {
      build     = "builds the functions' images"
      push      = "Pub/Sub's pushes"
      scheduler = "Cloud Scheduler's calls"
    },
    var.uses_eventarc ? { eventarc = "Eventarc's deliveries" } : {},
    var.migrates ? { migrate = "migrates the database" } : {},
  )
}

resource "google_service_account" "function" {
  for_each = toset(var.functions)

  project      = var.project
  account_id   = "${var.name}-${replace(each.value, "_", "-")}"
  display_name = "${var.name}: the function ${each.value}"
}

resource "google_service_account" "caller" {
  for_each = local.callers

  project      = var.project
  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name}: ${each.value}"
}
