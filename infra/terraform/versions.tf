terraform {
  # 1.9: a variable's validation may name other variables.
  required_version = ">= 1.9"

  required_providers {
    # Firestore's field "*" can be taken back since 6.19, and the checks know the tables of 6.50.
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.6"
    }
  }

  # Which bucket and prefix is said at init: environments/*.gcs.tfbackend. The state holds the database's password.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
  # Budgets are asked for in the name of a project.
  user_project_override = true
  billing_project       = var.project
}
