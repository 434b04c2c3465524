-- Look at the outbox as a whole. Answers how many destinations have work, how many messages wait, how many of them are
-- urgent, how long the oldest has waited (milliseconds, by Redis's clock), how many dead letters there are, and of the
-- channel paused, stopped, status and detail.
local waiting, urgent, oldest = 0, 0, 0
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local destinations = redis.call('SMEMBERS', TOKENS)
for _, to in ipairs(destinations) do
  local length = redis.call('XLEN', queue_of(to))
  waiting = waiting + length
  if space_of(to) ~= to then urgent = urgent + length end
  local first = redis.call('XRANGE', queue_of(to), '-', '+', 'COUNT', 1)[1]
  if first then oldest = math.max(oldest, now - tonumber(string.match(first[1], '^%d+'))) end
end
local channel = redis.call('HMGET', CHANNEL, 'paused', 'stopped', 'status', 'detail')
for index = 1, 4 do channel[index] = channel[index] or '' end
return {#destinations, waiting, urgent, oldest, redis.call('HLEN', DEAD), unpack(channel)}
