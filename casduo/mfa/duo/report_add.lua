-- Queue the question what Duo would have said, unless it was asked about this person and service a while ago.
-- KEYS[1] the queue, KEYS[2] the note that it was; ARGV[1] for how long that holds (milliseconds), ARGV[2] entries that the
-- queue keeps, about; then fields and values of the entry. Answers 1, or 0 for nothing queued.
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
return 1
