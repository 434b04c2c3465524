-- Append an entry to a queue. KEYS[1] the stream; ARGV[1] how many entries it keeps, about, then in turn names and values.
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 2))
