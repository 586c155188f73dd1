# What is not switched on cannot be made. Nothing is switched off by destroy: others in the project may use it.
locals {
  apis = concat(
    [
      "artifactregistry.googleapis.com",
      "billingbudgets.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "compute.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.database == "firestore" ? ["firestore.googleapis.com"] : ["sqladmin.googleapis.com"],
    var.events.delivery == "eventarc" ? ["eventarc.googleapis.com"] : [],
    var.model.provider == "vertex" ? ["aiplatform.googleapis.com"] : [],
    var.redis.memory_gb > 0 ? ["redis.googleapis.com"] : [],
    local.has_network ? ["dns.googleapis.com", "servicenetworking.googleapis.com", "vpcaccess.googleapis.com"] : [],
  )
}

resource "google_project_service" "required" {
  for_each = toset(local.apis)

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

data "google_project" "this" {
  project_id = var.project
}
