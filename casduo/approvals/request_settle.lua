-- Decide, expire or cancel a request for access, once: whoever comes first does, all others learn what it has become.
-- KEYS[1] the record, KEYS[2] all that wait, KEYS[3] the deadlines, KEYS[4] the events.
-- ARGV, in this order:
--   the request's id, its new state, now, a word of this attempt's own, the decision or empty, the event
--   the event that it amounts to, or empty, where so many of the person's requests for the service were refused
--   how many, and within how many seconds, this one among them
-- Answers whether this attempt was the first, whether it wrote the second event, and the record. Sent again after an
-- answer that was lost it changes nothing, and answers the same.
local id, becomes, now, attempt, decision, event, violation, refusals, window = unpack(ARGV)
local state, settled, too_many, lines, open, from, till, expires = unpack(redis.call('HMGET', KEYS[1],
  'state', 'settled', 'too_many', 'lines', 'open', 'start', 'end', 'expires'))
if state and state ~= 'pending' then
  local mine = settled == attempt
  return {mine and 1 or 0, mine and too_many and 1 or 0, redis.call('HGETALL', KEYS[1])}
end

redis.call('ZREM', KEYS[2], id)
redis.call('ZREM', KEYS[3], 'expire:' .. id, 'remind:' .. id)
if not state then return {0, 0, {}} end

redis.call('HSET', KEYS[1], 'state', becomes, 'settled', attempt)
if decision ~= '' then redis.call('HSET', KEYS[1], 'decision', decision) end
redis.call('ZREM', open, id)
redis.call('HSET', lines, id, table.concat({becomes, from, till, expires, now}, ' '))
-- Where the lines had been forgotten, these are to be forgotten too.
if redis.call('PTTL', lines) < 0 then redis.call('PEXPIRE', lines, math.max(1, redis.call('PTTL', KEYS[1]))) end
if becomes == 'approved' then redis.call('ZADD', KEYS[3], till, 'end:' .. id) end
redis.call('XADD', KEYS[4], '*', 'record', event)

local written = 0
if becomes == 'rejected' and violation ~= '' then
  local refused = 0
  for _, line in ipairs(redis.call('HVALS', lines)) do
    local of, at = string.match(line, '^(%S+) %S+ %S+ %S+ (%S+)$')
    if of == 'rejected' and tonumber(now) - tonumber(at) < tonumber(window) then refused = refused + 1 end
  end
  if refused >= tonumber(refusals) then
    redis.call('XADD', KEYS[4], '*', 'record', violation)
    redis.call('HSET', KEYS[1], 'too_many', '1')
    written = 1
  end
end
return {1, written, redis.call('HGETALL', KEYS[1])}
