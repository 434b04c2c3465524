-- Grant a ticket on a live session and let the session's idle time begin anew.
-- KEYS[1] the TGT, KEYS[2] the new ticket; ARGV[1] the ticket's lifetime (milliseconds, never past the session's hard
-- end), ARGV[2] the ticket, ARGV[3] now (milliseconds, by the node's clock).
-- Where tickets in a row that nobody validates are to be noticed: ARGV[4] the entry's id, ARGV[5] how many are too many
-- within ARGV[6] milliseconds.
-- Answers 1; 0, and grants nothing, when the session is gone; 2, and grants nothing, when there were too many in a row.
local session = redis.call('HMGET', KEYS[1], 'hard', 'idle')
if not session[1] then return 0 end
local time = redis.call('TIME')
local left = tonumber(session[1]) - (time[1] * 1000 + math.floor(time[2] / 1000))
if left <= 0 then return 0 end
if ARGV[4] then
  local field = 'row:' .. ARGV[4]
  local count, since = 0, ARGV[3]
  local row = redis.call('HGET', KEYS[1], field)
  if row then
    local first, start = string.match(row, '(%d+) (%d+)')
    local age = tonumber(ARGV[3]) - tonumber(start)
    -- One that begins in the future was noted by a clock that was wrong; nodes may differ by a minute.
    if age <= tonumber(ARGV[6]) and age >= -60000 then count, since = tonumber(first), start end
  end
  if count >= tonumber(ARGV[5]) then
    redis.call('HDEL', KEYS[1], field)
    return 2
  end
  redis.call('HSET', KEYS[1], 'used', ARGV[3], field, (count + 1) .. ' ' .. since)
else
  redis.call('HSET', KEYS[1], 'used', ARGV[3])
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', math.min(tonumber(ARGV[1]), left))
redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(session[2])))
return 1
