-- Have the tokens get ready whose time has come. ARGV[1] now, ARGV[2] how many at most, ARGV[3] how often a stopped
-- channel is tried. While the channel is paused none does, and while it is stopped one when it is to be tried.
-- Answers for how long there is nothing to do (milliseconds), -1 where nothing waits.
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local channel = redis.call('HMGET', CHANNEL, 'paused', 'stopped', 'probe')
local paused = ahead(channel[1], now, LONGEST_PAUSE)
if paused > now then return paused - now end
if channel[2] then
  local probe = ahead(channel[3], now, tonumber(ARGV[3]))
  if probe > now then return probe - now end
  most = 1
end
for _, to in ipairs(redis.call('ZRANGEBYSCORE', LATER, '-inf', now, 'LIMIT', 0, most)) do
  redis.call('ZREM', LATER, to)
  make_ready(to)
end
-- Whoever is to try takes a moment to do so.
if channel[2] then return 1000 end
local first = redis.call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
return first and math.max(0, first - now) or -1
