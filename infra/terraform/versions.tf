terraform {
  # 1.9: a variable's validation may name other variables.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.30"
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
