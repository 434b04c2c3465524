"""casduo: single sign-on that speaks CAS and asks for Duo where the service registry says so."""

__version__ = "0.1.0"
