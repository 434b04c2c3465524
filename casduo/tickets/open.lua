-- Open a single sign-on session.
-- KEYS[1] the TGT; ARGV[1] hard lifetime, ARGV[2] idle lifetime (milliseconds); then field, value, field, value ...
-- 'hard' is kept by Redis's own clock, so that nodes whose clocks differ agree on the end.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lifetime, idle = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'hard', string.format('%.0f', now + lifetime), 'idle', ARGV[2], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], math.min(lifetime, idle))
return 1
