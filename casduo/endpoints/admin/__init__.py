"""The administration pages: their addresses in one list, who may open and change what, and an endpoint for each."""
