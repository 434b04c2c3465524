-- Open a single sign-on session.
-- KEYS[1] the TGT; ARGV[1] hard lifetime, ARGV[2] idle lifetime (milliseconds), ARGV[3] the session, ARGV[4] strength,
-- ARGV[5] now (milliseconds, by the node's clock).
-- 'hard' is kept by Redis's own clock, so that nodes whose clocks differ agree on the end.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lifetime = tonumber(ARGV[1])
local hard = string.format('%.0f', now + lifetime)
redis.call('HSET', KEYS[1], 'session', ARGV[3], 'strength', ARGV[4], 'hard', hard, 'idle', ARGV[2], 'used', ARGV[5])
redis.call('PEXPIRE', KEYS[1], math.min(lifetime, tonumber(ARGV[2])))
return 1
