-- Take a person's place for a push that is about to be sent, and count it.
-- KEYS[1] its record, KEYS[2] the place, KEYS[3] the count, KEYS[4], if there is one, the record of the push that gives
-- way: whatever is answered to that one opens nothing any more.
-- ARGV[1] what stands for the push in the place, ARGV[2] now, ARGV[3] for how long it may be about to be sent, ARGV[4] for
-- how long it may wait, ARGV[5] how long records are kept, ARGV[6] how many are sent within ARGV[7], ARGV[8] what the
-- keys of records begin with (all times in milliseconds); then the fields and values of the record.
-- Answers {'opened'}, {'pending', the record of the one that has the place} or {'limited', milliseconds to wait}.
local now = tonumber(ARGV[2])

if KEYS[4] then
  local state = redis.call('HGET', KEYS[4], 'state')
  if state == 'sending' or state == 'waiting' then
    redis.call('HSET', KEYS[4], 'state', 'dropped')
    redis.call('HDEL', KEYS[4], 'code')
  elseif state ~= 'dropped' then
    redis.call('DEL', KEYS[4])
  end
end

local holder = redis.call('GET', KEYS[2])
if holder then
  local other = ARGV[8] .. holder
  local found = redis.call('HMGET', other, 'state', 'opened', 'sent', 'browser')
  local sending = found[1] == 'sending' and tonumber(found[2]) + tonumber(ARGV[3]) > now
  local waiting = found[1] == 'waiting' and tonumber(found[3]) + tonumber(ARGV[4]) > now
  if sending or waiting then
    local browser = ''
    for i = 9, #ARGV, 2 do
      if ARGV[i] == 'browser' then browser = ARGV[i + 1] end
    end
    -- In its own browser a login that was left gives way to the next one.
    if browser == '' or found[4] ~= browser then return {'pending', redis.call('HGETALL', other)} end
    redis.call('HSET', other, 'state', 'dropped')
    redis.call('HDEL', other, 'code')
  end
end

local most, window = tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - window)
local count = redis.call('ZCARD', KEYS[3])
if count >= most then
  local first = redis.call('ZRANGE', KEYS[3], count - most, count - most, 'WITHSCORES')
  return {'limited', math.min(window, tonumber(first[2]) + window - now)}
end

redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
redis.call('HSET', KEYS[1], 'state', 'sending', 'opened', ARGV[2], unpack(ARGV, 9))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'opened'}
