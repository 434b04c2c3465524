-- One step of a limit on failures, for one or more counters in one slot.
--
-- KEYS     the counters; whatever follows them is not touched
-- ARGV[1]  'look' (ask only) or 'test' (ask, and note an attempt as under way), then one of 'fail', 'forgive'
--          (a success: failures are forgotten), 'release' (no verdict)
-- ARGV[2]  now, milliseconds
-- ARGV[3]  how long an attempt may be under way, milliseconds
-- then for each key: free failures, window, first pause, longest pause (milliseconds), and 1 where the end of a pause
-- is the end of all failures before it, else 0
--
-- A counter is a hash: f failures, u blocked until, p attempts under way, s when the last of them began.
-- Attempts under way count like failures while they last, so that a hundred guesses sent at once are not all let in.
-- Answers the milliseconds to wait, 0 for "go on"; after a failure that costs no wait yet, how many more may be made
-- before one does, as a negative number.

local step, now, patience = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local counters = (#ARGV - 3) / 5

local function limit(i)
  local first = 5 * i - 1
  local free, window = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  return free, window, tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), ARGV[first + 4] == '1'
end

local function counter(key, longest, afresh)
  local values = redis.call('HMGET', key, 'f', 'u', 'p', 's')
  local failures, blocked = tonumber(values[1]) or 0, tonumber(values[2]) or 0
  local underway, since = tonumber(values[3]) or 0, tonumber(values[4]) or 0
  -- Of a clock that was set back in between, or of another node's that is ahead: what cannot be is not believed.
  if math.abs(now - since) > patience then underway = 0 end
  if blocked - now > longest + patience then blocked = 0 end
  if afresh and blocked > 0 and blocked <= now then failures = 0 end
  return failures, blocked, underway
end

if step == 'test' or step == 'look' then
  local wait, attempts = 0, {}
  for i = 1, counters do
    local key = KEYS[i]
    local free, _, pause, longest, afresh = limit(i)
    local failures, blocked, underway = counter(key, longest, afresh)
    attempts[i] = underway + 1
    if blocked > now then
      wait = math.max(wait, math.min(blocked - now, longest))
    elseif underway > 0 and failures + underway >= free then
      -- By then those under way have their outcome.
      wait = math.max(wait, math.min(pause, patience))
    end
  end
  if wait > 0 or step == 'look' then return wait end
  for i = 1, counters do
    local key = KEYS[i]
    local _, window = limit(i)
    redis.call('HSET', key, 'p', attempts[i], 's', now)
    redis.call('PEXPIRE', key, window)
  end
  return 0
end

local wait, left = 0, nil
for i = 1, counters do
  local key = KEYS[i]
  local free, window, pause, longest, afresh = limit(i)
  local failures, _, underway = counter(key, longest, afresh)
  if step == 'forgive' and underway <= 1 then
    redis.call('DEL', key)
  elseif underway > 0 then
    redis.call('HSET', key, 'p', underway - 1)
  end
  if step == 'fail' then
    failures = failures + 1
    redis.call('HSET', key, 'f', failures)
    if failures >= free then
      local this = math.min(longest, pause * 2 ^ math.min(failures - free, 30))
      redis.call('HSET', key, 'u', now + this)
      wait = math.max(wait, this)
      window = window + this
    else
      redis.call('HDEL', key, 'u')
    end
    left = math.min(left or free, math.max(0, free - failures))
    redis.call('PEXPIRE', key, window)
  elseif step == 'forgive' and underway > 1 then
    redis.call('HDEL', key, 'f', 'u')
  end
end
if wait == 0 and left then return -left end
return wait
