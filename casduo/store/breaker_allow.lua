-- Ask a breaker whether a call may be made. KEYS[1] its record; ARGV[1] how long it refuses once it is open, ARGV[2]
-- how long a probe may take, ARGV[3] how long the record is kept (milliseconds).
-- A record is a hash, its moments are by Redis's clock: failures, how many in a row; opened, when it opened, missing
-- while it is closed; probe, the lease of the one call that may find out more, which is the moment it was given
-- (microseconds); closed, when it closed last.
-- Answers 'closed' and the failures on record, or 'open' and for how long it has been, or 'probe', that, and the lease.
local record = redis.call('HMGET', KEYS[1], 'failures', 'opened', 'probe')
if not record[2] then return {'closed', tonumber(record[1]) or 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A clock that was set back must not keep it open for as long as it was wrong.
local function within(moment, span)
  return now >= moment and now - moment < tonumber(span)
end

local opened = tonumber(record[2])
if within(opened, ARGV[1]) or record[3] and within(math.floor(record[3] / 1000), ARGV[2]) then
  return {'open', now - opened}
end
local lease = string.format('%d%06d', time[1], time[2])
redis.call('HSET', KEYS[1], 'probe', lease)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'probe', now - opened, lease}
