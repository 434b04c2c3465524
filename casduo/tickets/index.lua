-- Note a session in an index by which it may be found. KEYS[1] the index, a sorted set by the moment a session ends.
-- ARGV[1] the member, ARGV[2] in how many milliseconds the session ends, ARGV[3] how many members there may be, 0 for any
-- number.
-- Moments are by Redis's own clock: a node whose clock is ahead must not forget sessions that live. Members whose session
-- is over go; beyond the bound those go that end first. The index ends with its last member.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], 'GT', now + ARGV[2], ARGV[1])
local most = tonumber(ARGV[3])
if most > 0 then
  local over = redis.call('ZCARD', KEYS[1]) - most
  if over > 0 then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1) end
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
return 1
