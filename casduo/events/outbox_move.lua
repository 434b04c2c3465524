-- Have the tokens get ready whose time has come. ARGV[1] now, ARGV[2] how many at most, ARGV[3] how often a stopped
-- channel is tried, ARGV[4] the time between two messages to one space. While the channel is paused none does, and while
-- it is stopped one when it is to be tried. One that lies further ahead than any can was laid down by a clock that was
-- wrong, and gets ready now.
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
local function get_ready(from, till)
  for _, to in ipairs(redis.call('ZRANGEBYSCORE', LATER, from, till, 'LIMIT', 0, most)) do
    redis.call('ZREM', LATER, to)
    make_ready(to)
    most = most - 1
  end
end
get_ready('-inf', now)
get_ready(string.format('(%.0f', now + math.max(LONGEST_PAUSE, 4 * tonumber(ARGV[4]))), '+inf')
-- Whoever is to try takes a moment to do so.
if channel[2] then return 1000 end
local first = redis.call('ZRANGE', LATER, 0, 0, 'WITHSCORES')[2]
return first and math.max(0, first - now) or -1
