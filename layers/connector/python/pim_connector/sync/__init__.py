"""What products and assets share: messages, runs, jobs and the sync state."""
