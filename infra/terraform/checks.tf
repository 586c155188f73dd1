# Looked at after each apply. A warning here is one of README.md, "When a check warns".

# Functions are told their own address before they have one (SERVICE_AUDIENCE): it has to be one that Cloud Run has given.
check "addresses" {
  data "google_cloud_run_v2_service" "events" {
    project  = var.project
    location = var.region
    name     = module.services.names["events"]
  }

  assert {
    condition     = contains(data.google_cloud_run_v2_service.events.urls, local.urls["events"])
    error_message = "Cloud Run has not given the events function the address ${local.urls["events"]}: pushes and the scheduler do not get in."
  }
}

check "eventarc" {
  assert {
    condition     = var.events.delivery == "push" || var.events.eventarc_audience != ""
    error_message = "events.eventarc_audience is not set: the events function refuses Eventarc's tokens until it is (README.md)."
  }
}
