-- Take note that messages were delivered. KEYS[2] the stream of events; ARGV[1] the destination, ARGV[2] the token's
-- entry, ARGV[3] the group, ARGV[4] the worker, ARGV[5] a JSON list: of each message its entry and its id, ARGV[6] the
-- receipt, ARGV[7] how long to know of them (milliseconds), ARGV[8] the messages that become due by it, see
-- outbox_put.lua, ARGV[9] the record of the event that the channel works again, '' where it was not in doubt, ARGV[10] 1
-- where it is and nobody was asked: the next message finds out.
-- Also a worker that was followed by another meanwhile is believed that it delivered.
-- Answers whether the worker still has the token and there is more to do, and whether the channel had been stopped.
local to, entry, group = ARGV[1], ARGV[2], ARGV[3]
for _, message in ipairs(cjson.decode(ARGV[5])) do
  redis.call('XDEL', queue_of(to), message[1])
  redis.call('SET', mark_of(message[2]), 'sent ' .. ARGV[6], 'PX', ARGV[7])
end
put_all(cjson.decode(ARGV[8]))
local resumed = ARGV[9] ~= '' and resume(ARGV[9]) or 0
if ARGV[10] == '1' then redis.call('HDEL', CHANNEL, 'probe') end
if not holds(to, entry, group, ARGV[4]) then return {0, resumed} end
redis.call('HDEL', state_of(to), 'tries', 'fails', 'upto')
return {goes_on(to, entry, group) and 1 or 0, resumed}
