"""What everything else uses: errors, records, files, locks. It imports nothing of ours."""
