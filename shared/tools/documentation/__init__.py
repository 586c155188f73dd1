"""Documentation: the shipped pages, the search index, and what tools and routes answer."""
