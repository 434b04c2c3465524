-- Send nothing for a while. ARGV[1] now, ARGV[2] until when, which is the longest pause away at most; an earlier end than
-- the one on record changes nothing.
local now = tonumber(ARGV[1])
local paused, moment = ahead(redis.call('HGET', CHANNEL, 'paused'), now, LONGEST_PAUSE), tonumber(ARGV[2])
if moment > paused then
  redis.call('HSET', CHANNEL, 'paused', string.format('%.0f', math.min(moment, now + LONGEST_PAUSE)))
end
return 1
