-- Add an event if what it tells of has come about. KEYS[1] the stream, KEYS[2] what exists then; ARGV[1] the record.
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('XADD', KEYS[1], '*', 'record', ARGV[1])
return 1
