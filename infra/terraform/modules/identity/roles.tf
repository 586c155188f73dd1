# Roles that can only be given on the project. Those on a bucket, topic, secret or function stand beside these.

# Sessions and turns: read and written by the functions' own code. On this one database.
resource "google_project_iam_member" "firestore" {
  for_each = toset(var.firestore_users)

  project = var.project
  role    = "roles/datastore.user"
  member  = google_service_account.function[each.value].member

  condition {
    title      = "this-database"
    expression = "resource.name == \"projects/${var.project}/databases/${var.firestore_database}\""
  }
}

# Turns, and search_web without Tavily, ask Gemini; models are not resources that could be bound.
resource "google_project_iam_member" "vertex" {
  for_each = toset(var.vertex_users)

  project = var.project
  role    = "roles/aiplatform.user"
  member  = google_service_account.function[each.value].member
}

# GET /artifacts/...?url=true: an account without a key signs by asking IAM to sign as itself, and as nobody else.
resource "google_service_account_iam_member" "signs_as_itself" {
  for_each = toset(var.url_signers)

  service_account_id = google_service_account.function[each.value].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.function[each.value].member
}

# The build reads the upload where Cloud Functions has put it, in a bucket that it makes itself.
resource "google_project_iam_member" "build_reads_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.caller["build"].member

  condition {
    title      = "sources-of-functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${var.project_number}-${var.region}\")"
  }
}

# The build writes its log.
resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.caller["build"].member
}

# Eventarc's trigger receives on behalf of its account.
resource "google_project_iam_member" "eventarc_receives" {
  count = var.uses_eventarc ? 1 : 0

  project = var.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.caller["eventarc"].member
}

# Pub/Sub makes the identity tokens of its pushes as these accounts.
resource "google_service_account_iam_member" "pubsub_makes_tokens" {
  for_each = toset(var.uses_eventarc ? ["push", "eventarc"] : ["push"])

  service_account_id = google_service_account.caller[each.value].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}
