-- List the destinations that have work, those first whose oldest message has waited longest. ARGV[1] how many at most. Answers for each: its name, how many messages wait,
-- how long the oldest has waited (milliseconds, by Redis's clock), how often its delivery was begun, and when it is tried
-- next, '' for as soon as possible.
local time = redis.call('TIME')
local now, lines = time[1] * 1000 + math.floor(time[2] / 1000), {}
for _, to in ipairs(redis.call('SMEMBERS', TOKENS)) do
  local first = redis.call('XRANGE', queue_of(to), '-', '+', 'COUNT', 1)[1]
  local waited = first and now - tonumber(string.match(first[1], '^%d+')) or 0
  local tries = redis.call('HGET', state_of(to), 'tries') or '0'
  table.insert(lines, {to, redis.call('XLEN', queue_of(to)), waited, tries, redis.call('ZSCORE', LATER, to) or ''})
end
table.sort(lines, function(one, other) return one[3] > other[3] end)
local most = {}
for index = 1, math.min(#lines, tonumber(ARGV[1])) do most[index] = lines[index] end
return most
