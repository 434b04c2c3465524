-- Have a dead letter wait once more. KEYS[2] the stream of events, or KEYS[1] again where nobody reads it; ARGV[1] the
-- message's id, ARGV[2] its destination, ARGV[3] its text, ARGV[4] the record of that event, '' for none.
-- Answers 1, or 0 where there is no such letter any more.
if redis.call('HDEL', DEAD, ARGV[1]) == 0 then return 0 end
redis.call('ZREM', DEAD_AT, ARGV[1])
redis.call('DEL', mark_of(ARGV[1]))
put_all({{ARGV[1], ARGV[2], ARGV[3]}})
if ARGV[4] ~= '' then redis.call('XADD', KEYS[2], '*', 'record', ARGV[4]) end
return 1
