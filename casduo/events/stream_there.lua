-- Say whether what an event tells of has come about. KEYS[1] what exists then.
return redis.call('EXISTS', KEYS[1])
