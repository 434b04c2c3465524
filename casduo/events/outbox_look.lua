-- Look at what a destination has first, and begin with nothing: no place in a line is used up. ARGV[1] the destination,
-- ARGV[2] the token's entry, ARGV[3] the group, ARGV[4] the worker.
-- Answers its entry, its text, how many wait, how many tries count, how many have failed, and the last entry of the digest
-- it was tried in or ''; nothing where the token is another's by now, or nothing waits any more, and the token is no more.
local to, entry, group = ARGV[1], ARGV[2], ARGV[3]
if not holds(to, entry, group, ARGV[4]) or not goes_on(to, entry, group) then return {} end
local first = redis.call('XRANGE', queue_of(to), '-', '+', 'COUNT', 1)[1]
local tries, fails, upto = unpack(redis.call('HMGET', state_of(to), 'tries', 'fails', 'upto'))
return {first[1], first[2][2], redis.call('XLEN', queue_of(to)), tries or 0, fails or 0, upto or ''}
