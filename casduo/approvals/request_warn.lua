-- Write an event about a request once. KEYS[1] the record, KEYS[2] the events; ARGV[1] what tells it from others about
-- the same request, ARGV[2] the event. Answers 0 where it was written before, or there is no such request.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HSETNX', KEYS[1], 'told:' .. ARGV[1], '1') == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'record', ARGV[2])
return 1
