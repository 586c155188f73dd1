"""Terraform's language: files read, and worked out as far as that is known before anything is made."""
