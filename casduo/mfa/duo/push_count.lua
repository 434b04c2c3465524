-- Count one more thing that a person is sent. KEYS[1] the count; ARGV[1] a name for it, ARGV[2] now, ARGV[3] how many are
-- sent within ARGV[4] (milliseconds). Answers 0, or the milliseconds to wait and counts nothing.
local now, most, window = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[1])
if count >= most then
  local first = redis.call('ZRANGE', KEYS[1], count - most, count - most, 'WITHSCORES')
  return math.min(window, tonumber(first[2]) + window - now)
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0
