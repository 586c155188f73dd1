"""Bot templates: what can be built, with which parameters, and how it is rendered."""
