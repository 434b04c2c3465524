-- Let a flow wait. KEYS[1] the flow; ARGV[1] lifetime (milliseconds), version, cookie fingerprint, state, again.
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'cookie', ARGV[3], 'state', ARGV[4], 'again', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
