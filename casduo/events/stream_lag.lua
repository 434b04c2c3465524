-- How long readers of the stream are behind: for each reader in ARGV the milliseconds that the oldest event has waited
-- which it is not done with, by Redis's clock; 0 where there is none. KEYS: the stream, how far readers have come.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lags = {}
for index, reader in ipairs(ARGV) do
  local done = redis.call('HGET', KEYS[2], reader) or '0-0'
  local first = redis.call('XRANGE', KEYS[1], '(' .. done, '+', 'COUNT', 1)[1]
  lags[index] = first and math.max(0, now - tonumber(string.match(first[1], '^%d+'))) or 0
end
return lags
