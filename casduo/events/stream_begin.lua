-- Settle where a reader begins that has never read: at the end of the stream where that holds what is long past, else at
-- its beginning. KEYS[1] the stream, KEYS[2] how far each reader is, KEYS[3] the reader's lease; ARGV[1] the token of the
-- lease, ARGV[2] the reader, ARGV[3] how old the oldest entry may be (milliseconds, by Redis's clock).
-- Answers 1 where it was settled now, else 0: it has been before, or the lease is another's.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local age = oldest and time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(oldest[1], '^%d+')) or 0
local begin = age > tonumber(ARGV[3]) and redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1] or '0-0'
return redis.call('HSETNX', KEYS[2], ARGV[2], begin)
