-- Tell a breaker that somebody answered. KEYS[1] its record, see breaker_allow.lua; ARGV[1] how long calls may still be
-- under way that began before (milliseconds): what they tell is no news.
if redis.call('HEXISTS', KEYS[1], 'opened') == 0 then return redis.call('HDEL', KEYS[1], 'failures') end
local time = redis.call('TIME')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'closed', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
