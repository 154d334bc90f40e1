"""Pages: pure functions turn the store into HTML; one timer a page shows what changed."""
