"""The demo: casduo with everything around it on one machine, from sample applications to a Duo with phones to press."""
