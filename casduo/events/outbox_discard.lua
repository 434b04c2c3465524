-- Drop a dead letter. KEYS[2] the stream of events; ARGV[1] the message's id, ARGV[2] how long to know of it
-- (milliseconds), ARGV[3] the record of that event, '' for none. Answers 1, or 0 where there is no such letter.
if redis.call('HDEL', DEAD, ARGV[1]) == 0 then return 0 end
redis.call('ZREM', DEAD_AT, ARGV[1])
redis.call('SET', mark_of(ARGV[1]), 'discarded', 'PX', ARGV[2])
if ARGV[3] ~= '' then redis.call('XADD', KEYS[2], '*', 'record', ARGV[3]) end
return 1
