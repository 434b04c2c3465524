-- Claim timers that are due: for the time of the lease nobody else gets them. KEYS[1] the order of all timers; ARGV[1]
-- now, ARGV[2] how many at most, ARGV[3] when the lease ends (milliseconds), ARGV[4] what the keys of timers begin with.
-- Answers for each: phone, id, user, when it was due, tries that failed, whether UCM was asked already, and reference and
-- trace of the request in which it was set, where these are known.
local claimed = {}
for _, phone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local found = redis.call('HMGET', ARGV[4] .. phone, 'id', 'user', 'at', 'tries', 'asked', 'reference', 'traceparent')
  if found[1] then
    redis.call('ZADD', KEYS[1], ARGV[3], phone)
    table.insert(claimed, {phone, unpack(found)})
  else
    redis.call('ZREM', KEYS[1], phone)
  end
end
return claimed
