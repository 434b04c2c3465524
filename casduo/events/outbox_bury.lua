-- Make dead letters of messages. KEYS[2] the stream of events; ARGV[1] the destination, ARGV[2] the token's entry,
-- ARGV[3] the group, ARGV[4] the worker, ARGV[5] now, ARGV[6] a JSON list: of each message its entry, its id, the
-- letter and the messages that become due by it, see outbox_put.lua, ARGV[7] the record of that event, ARGV[8] the record
-- of the event that the channel works again, '' where it was not in doubt.
-- Answers whether the worker still has the token and there is more to do, whether the channel had been stopped, and how
-- many letters were made: none where somebody else has seen to the messages meanwhile.
local to, entry, group, made = ARGV[1], ARGV[2], ARGV[3], 0
for _, message in ipairs(cjson.decode(ARGV[6])) do
  local place, id, letter, after = unpack(message)
  if redis.call('XDEL', queue_of(to), place) == 1 then
    redis.call('SET', mark_of(id), 'dead')
    redis.call('HSET', DEAD, id, letter)
    redis.call('ZADD', DEAD_AT, ARGV[5], id)
    put_all(after)
    made = made + 1
  end
end
if made > 0 then redis.call('XADD', KEYS[2], '*', 'record', ARGV[7]) end
local resumed = ARGV[8] ~= '' and resume(ARGV[8]) or 0
if not holds(to, entry, group, ARGV[4]) then return {0, resumed, made} end
redis.call('HDEL', state_of(to), 'tries', 'fails', 'upto')
return {goes_on(to, entry, group) and 1 or 0, resumed, made}
