-- Count in two places at once. KEYS[1], KEYS[2] the counters. Answers both.
return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}
