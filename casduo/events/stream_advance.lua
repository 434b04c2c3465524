-- Say how far a reader has come, and drop what all readers are done with.
-- KEYS[1] the stream, KEYS[2] how far each reader is, KEYS[3] the reader's lease; ARGV[1] the token of the lease,
-- ARGV[2] the reader, ARGV[3] the id of the last entry it is done with, ARGV[4...] all readers there are.
-- Answers 0 where the lease is another's by now: that one reads on from where the record says.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local least, ms, seq
for index = 4, #ARGV do
  local at = redis.call('HGET', KEYS[2], ARGV[index])
  if not at then return 1 end
  local this_ms, this_seq = parts(at)
  if not least or this_ms < ms or (this_ms == ms and this_seq < seq) then least, ms, seq = at, this_ms, this_seq end
end
if least then redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', ms, seq + 1)) end
return 1
