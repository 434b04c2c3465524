"""What people see and end of their own: sessions, trusted browsers, sign-ins of late."""
