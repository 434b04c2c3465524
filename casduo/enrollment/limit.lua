-- Count one more, if there may be one more. KEYS[1] the count; ARGV[1] how many there may be in ARGV[2] milliseconds.
-- Answers 0, or how long to wait (milliseconds).
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[1]) then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('INCR', KEYS[1])
if count == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
