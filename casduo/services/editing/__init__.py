"""Changes the registry file: one entry at a time, in its text, so that everything else stays as somebody wrote it."""
