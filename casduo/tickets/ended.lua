-- Note that all sessions of a person were ended. KEYS[1] the mark; ARGV[1] now, ARGV[2] how long it is kept (milliseconds).
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
