-- Take a request for access. Of one person for one service only one waits at a time.
-- KEYS[1] the record, KEYS[2] the person's lines for the service, KEYS[3] the person's requests that wait, KEYS[4] all
-- of the person's, KEYS[5] all that wait, KEYS[6] the latest of everybody, KEYS[7] the deadlines, KEYS[8] the events.
-- ARGV, in this order:
--   the request's id, its record, its line, from when to when access is asked for
--   now, when the request expires, when that is to be noted, when to remind of it or empty
--   how many of the person may wait, and how many lines they may have for the service
--   how long lines count that are over (seconds), how long record and lines are kept (milliseconds)
--   how many the lists of the person and of everybody hold, and the event
-- Answers 'created', 'pending' or 'limit'. Sent again after an answer that was lost it changes nothing.
local id, record, line, from, till, now, expires, noted, remind, most_waiting, most_lines, window, record_ms, lines_ms,
  most_of_person, most_of_all, event = unpack(ARGV)
if redis.call('EXISTS', KEYS[1]) == 1 then return 'created' end

local count, others = 0, redis.call('HGETALL', KEYS[2])
for i = 1, #others, 2 do
  local state, ends, due, at = string.match(others[i + 1], '^(%S+) %S+ (%S+) (%S+) (%S+)$')
  if state == 'pending' and tonumber(now) < tonumber(due) then return 'pending' end
  local over = tonumber(at)
  if state == 'approved' then over = math.max(over, tonumber(ends)) end
  if state == 'pending' then over = tonumber(due) end
  if tonumber(now) < over + tonumber(window) then count = count + 1 else redis.call('HDEL', KEYS[2], others[i]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if count >= tonumber(most_lines) or redis.call('ZCARD', KEYS[3]) >= tonumber(most_waiting) then return 'limit' end

local function keep(key, milliseconds)
  if redis.call('PTTL', key) < tonumber(milliseconds) then redis.call('PEXPIRE', key, milliseconds) end
end

redis.call('HSET', KEYS[1], 'record', record, 'state', 'pending', 'lines', KEYS[2], 'open', KEYS[3],
  'start', from, 'end', till, 'expires', expires)
keep(KEYS[1], record_ms)
redis.call('HSET', KEYS[2], id, line)
keep(KEYS[2], lines_ms)
redis.call('ZADD', KEYS[3], expires, id)
keep(KEYS[3], record_ms)
redis.call('ZADD', KEYS[4], now, id)
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - tonumber(most_of_person))
keep(KEYS[4], record_ms)
redis.call('ZADD', KEYS[5], expires, id)
redis.call('ZADD', KEYS[6], now, id)
redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -1 - tonumber(most_of_all))
redis.call('ZADD', KEYS[7], noted, 'expire:' .. id)
if remind ~= '' then redis.call('ZADD', KEYS[7], remind, 'remind:' .. id) end
redis.call('XADD', KEYS[8], '*', 'record', event)
return 'created'
