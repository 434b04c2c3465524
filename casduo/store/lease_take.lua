-- Take a lease. KEYS[1] the lease, ARGV[1] the token of who wants it, ARGV[2] for how long (milliseconds).
-- Answers 1 for who has it now; also to who has it already and wants to keep it for as long again.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
