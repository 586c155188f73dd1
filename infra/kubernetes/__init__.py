"""The agent on Kubernetes: plain YAML that kustomize takes, and a renderer to check it by."""
