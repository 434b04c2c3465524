"""Webex: notifications, cards with buttons, and the presses that come back."""
