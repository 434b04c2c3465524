"""Stand-ins for the services casduo talks to: real servers on real sockets, steerable, for tests and the demo only."""
