-- Say where the audit trail ends. Goes in front of stream_advance.lua, which then says how far its reader has come: both
-- in one step, for an event whose line is known here must not be given to the reader again.
-- KEYS[3] the reader's lease, KEYS[4] the end of the trail, KEYS[5] the ends by place; ARGV[1..5] number and hash of the
-- last line, its file, the place and the moment. They are taken off ARGV; behind them is what stream_advance.lua expects,
-- with the token of the lease first.
local audit = {}
for index = 1, 5 do audit[index] = table.remove(ARGV, 1) end
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
if audit[1] ~= '0' then
  redis.call('HSET', KEYS[4], 'seq', audit[1], 'hash', audit[2], 'file', audit[3], 'place', audit[4], 'at', audit[5])
  redis.call('HSET', KEYS[5], audit[4], audit[1] .. ' ' .. audit[2])
end
