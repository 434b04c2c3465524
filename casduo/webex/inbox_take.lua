-- Take a press in, once. KEYS[1] the mark that it was seen, KEYS[2] the inbox; ARGV[1] how long the mark is kept
-- (milliseconds), ARGV[2] the press, ARGV[3] when it came; behind them
-- in turn names and values that the entry has besides.
-- Both or neither: a mark without an entry would lose the press.
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 0 end
redis.call('XADD', KEYS[2], '*', 'action', ARGV[2], 'received', ARGV[3], unpack(ARGV, 4))
return 1
