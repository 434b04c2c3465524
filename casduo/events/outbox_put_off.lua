-- Lay a destination's token down. ARGV[1] the destination, ARGV[2] the token's entry, ARGV[3] the group, ARGV[4] the
-- worker, ARGV[5] when it is to get ready, 0 for at once; of what is first, ARGV[6] how many tries count so far, ARGV[7]
-- how many have failed, ARGV[8] the last entry of the digest it was tried in, '' for none.
-- Answers 1, or 0 where the token is another's by now.
if not holds(ARGV[1], ARGV[2], ARGV[3], ARGV[4]) then return 0 end
redis.call('HSET', state_of(ARGV[1]), 'tries', ARGV[6], 'fails', ARGV[7], 'upto', ARGV[8])
lay_down(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5]))
return 1
