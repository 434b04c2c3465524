-- One step of a limit on failures, for one or more counters in one slot.
--
-- KEYS     the counters
-- ARGV[1]  'look' (ask only) or 'test' (ask, and note an attempt as under way), then one of 'fail', 'forgive'
--          (a success: failures are forgotten), 'release' (no verdict)
-- ARGV[2]  now, milliseconds
-- ARGV[3]  how long an attempt may be under way, milliseconds
-- then for each key: free failures, window, first pause, longest pause (milliseconds)
--
-- A counter is a hash: f failures, u blocked until, p attempts under way, s when the last of them began.
-- Attempts under way count like failures while they last, so that a hundred guesses sent at once are not all let in.
-- Answers the milliseconds to wait, 0 for "go on".

local step, now, patience = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local function counter(key)
  local values = redis.call('HMGET', key, 'f', 'u', 'p', 's')
  local underway = tonumber(values[3]) or 0
  local since = tonumber(values[4]) or 0
  if now - since > patience then underway = 0 end
  return tonumber(values[1]) or 0, tonumber(values[2]) or 0, underway
end

if step == 'test' or step == 'look' then
  local wait, attempts = 0, {}
  for i, key in ipairs(KEYS) do
    local free, pause = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 2])
    local failures, blocked, underway = counter(key)
    attempts[i] = underway + 1
    if blocked > now then
      wait = math.max(wait, blocked - now)
    elseif underway > 0 and failures + underway >= free then
      wait = math.max(wait, pause)
    end
  end
  if wait > 0 or step == 'look' then return wait end
  for i, key in ipairs(KEYS) do
    redis.call('HSET', key, 'p', attempts[i], 's', now)
    redis.call('PEXPIRE', key, tonumber(ARGV[4 * i + 1]))
  end
  return 0
end

local wait = 0
for i, key in ipairs(KEYS) do
  local free, window = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local pause, longest = tonumber(ARGV[4 * i + 2]), tonumber(ARGV[4 * i + 3])
  local failures, _, underway = counter(key)
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
    end
    redis.call('PEXPIRE', key, window)
  elseif step == 'forgive' and underway > 1 then
    redis.call('HDEL', key, 'f', 'u')
  end
end
return wait
