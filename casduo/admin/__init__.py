"""What the administration pages show and may do: roles and page data as plain values, nothing of HTTP or Redis."""
