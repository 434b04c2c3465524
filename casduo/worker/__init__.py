"""The worker: a process that waits, so that no request has to (delivering sign-outs, and what else takes its time)."""
