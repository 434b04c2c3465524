-- Give back the lease of a probe that found out nothing. KEYS[1] the breaker's record, see breaker_allow.lua; ARGV[1]
-- the lease.
if redis.call('HGET', KEYS[1], 'probe') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'probe')
