-- A process says that it is there: writes what it says of itself (ARGV[2]) under its name (ARGV[1]), good for ARGV[3]
-- milliseconds by Redis's clock, and forgets whoever has not said so for as long. KEYS: until when, and what.
-- Of more than ARGV[4] those go first that have been silent longest.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  end
end
forget(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now))
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local many = redis.call('ZCARD', KEYS[1]) - ARGV[4]
if many > 0 then forget(redis.call('ZRANGE', KEYS[1], 0, many - 1)) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
