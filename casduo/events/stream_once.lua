-- Add an event unless it has been added: several processes see the same thing happen.
-- KEYS[1] the stream, KEYS[2] the mark; ARGV[1] how long the mark is kept (milliseconds), ARGV[2] the record.
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'record', ARGV[2])
return 1
