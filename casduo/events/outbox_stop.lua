-- Send nothing until a try shows that the channel works again. KEYS[2] the stream of events; ARGV[1] now, ARGV[2] when
-- to try, ARGV[3] the status and ARGV[4] the words that say why, ARGV[5] the record of that event.
-- Answers 1, or 0 where it had been stopped already: then there is no event.
redis.call('HSET', CHANNEL, 'probe', ARGV[2])
if redis.call('HSETNX', CHANNEL, 'stopped', ARGV[1]) == 0 then return 0 end
redis.call('HSET', CHANNEL, 'status', ARGV[3], 'detail', ARGV[4])
redis.call('XADD', KEYS[2], '*', 'record', ARGV[5])
return 1
